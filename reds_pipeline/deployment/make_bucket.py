"""Makes the bucket that MLflow's files go into: ``python -m ... s3://reds/mlflow``.

What belongs here: that one request. What does not: MLflow's files. Where the store is and who may
use it says the environment, in the S3 library's own variables.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from reds_pipeline.errors import RedsError

_THERE_ALREADY = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


def make_bucket(address: str) -> None:
    """Make the bucket of an address, if it is not there yet.

    Args:
        address: Such as ``s3://reds/mlflow``; what follows the bucket's name is of no interest.

    Raises:
        RedsError: The address names no bucket, or the store refuses.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc:
        raise RedsError(
            f"{address or 'An empty address'} names no bucket, so MLflow's files have no place; "
            "set MLFLOW_FILES to s3://reds/mlflow."
        )
    try:
        client = boto3.client("s3")
        try:
            client.create_bucket(Bucket=parts.netloc)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _THERE_ALREADY:
                raise
            # It may be somebody else's.
            client.head_bucket(Bucket=parts.netloc)
    except (BotoCoreError, ClientError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise RedsError(
            f"The object store refuses the bucket {parts.netloc} ({reason}); check "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in docker/.env."
        ) from error


def main(arguments: Sequence[str]) -> int:
    """Make the bucket; 0 if it is there now, 1 with a sentence if not."""
    try:
        make_bucket("".join(arguments))
    except RedsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
