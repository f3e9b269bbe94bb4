from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from reds_pipeline.modeling.tag_figure import MOST_ROWS, average_precision_figure


def _tag(number: int, name: str = "", precision: float = 0.5) -> dict[str, Any]:
    return {
        "tag": name or f"tag {number}",
        "average_precision": precision,
        "share": 0.1,
        "shown": number % 2 == 0,
    }


@pytest.mark.parametrize(
    "per_tag",
    [
        pytest.param([_tag(0)], id="one tag"),
        pytest.param([_tag(number) for number in range(MOST_ROWS + 30)], id="more than fit"),
        pytest.param([_tag(0, "猫"), _tag(1, "$x^2$"), _tag(2, "\U00013000")], id="any script"),
        pytest.param([_tag(0), _tag(1, precision=float("nan"))], id="not measured"),
        pytest.param([_tag(0, precision=float("nan"))], id="nothing measured"),
    ],
)
def test_whatever_people_wrote_it_can_be_drawn(per_tag: list[dict[str, Any]]) -> None:
    """Without a warning about letters that no font has, which the tests' settings make an error."""
    data = average_precision_figure(per_tag, "tiny")
    with Image.open(io.BytesIO(data)) as figure:
        assert figure.format == "PNG"
        assert figure.height < 2000
    assert average_precision_figure(per_tag, "tiny") == data
