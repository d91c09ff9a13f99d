"""S3 URIs, built and parsed."""

SCHEME = "s3://"


def s3_uri(bucket: str, key: str) -> str:
    """`s3://BUCKET/KEY`; the key may be a prefix or empty."""
    return f"{SCHEME}{bucket}/{key}"


def parse_s3_uri(uri: str) -> tuple[str, str]:
    """The (bucket, key) of an `s3://BUCKET/KEY`. Raises ValueError for other text."""
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket or not key:
        raise ValueError(f"{uri!r} is not an S3 URI; write s3://BUCKET/KEY")
    return bucket, key
