"""The bucket for MLflow's files is made once, and refusals are sentences."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reds_pipeline.deployment.make_bucket import make_bucket
from reds_pipeline.errors import RedsError


@pytest.mark.parametrize("address", ["", "reds", "/data/mlflow", "s3:///mlflow"], ids=repr)
def test_an_address_without_a_bucket_is_refused(address: str) -> None:
    with pytest.raises(RedsError, match="names no bucket"):
        make_bucket(address)


def test_the_program_says_in_one_sentence_what_is_wrong() -> None:
    """What `docker compose logs make-bucket` shows to whoever forgot the keys."""
    outcome = subprocess.run(
        [sys.executable, "-m", "reds_pipeline.deployment.make_bucket", "s3://reds/mlflow"],
        env={
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    (sentence,) = outcome.stderr.splitlines()
    assert "reds" in sentence
    assert "AWS_ACCESS_KEY_ID" in sentence
