"""Hashtags in the browser and on the server are the same."""

# ruff: noqa: RUF001  (signs that people type)

from __future__ import annotations

from reds_pipeline.feedback.typed_tags import typed_tags
from reds_pipeline_tests.web.browser.tag_page.tag_page import TagPage

_TYPED = (
    "",
    "golden retriever, beach",
    "#Dog #sunset#dog",
    "  spaces   everywhere ;semicolons ; ",
    "NASA, goldenRetriever, golden retriever",
    "it's, rock'n'roll, l’été",
    "東京、京都，大阪；奈良",
    "ı, straße, ÉCOLE, é",
    "100 days, 3d print",
    "someone@example.org, https://example.org/x, www.example.org, fine",
    "!!!, ???, a-b_c",
    ",".join(f"word {number}" for number in range(40)),
    "x" * 200,
    "می‌خواهم",
)


def test_typed_tags_mean_the_same_in_the_browser_and_on_the_server(tag_page: TagPage) -> None:
    """Otherwise what somebody copies is not what is recorded."""
    in_browser = tag_page.page.evaluate(
        """async ([address, texts]) => {
          const { typedTags } = await import(address);
          return texts.map(typedTags);
        }""",
        [f"{tag_page.scripts()}hashtags.js", list(_TYPED)],
    )
    assert in_browser == [list(typed_tags(text)) for text in _TYPED]
