"""Tests of S3 URIs."""

import pytest

from taxi_etl.s3_uris import parse_s3_uri, s3_uri


def test_a_uri_is_parsed_into_what_it_was_built_from() -> None:
    assert s3_uri("lake", "raw/taxi/a b?.csv") == "s3://lake/raw/taxi/a b?.csv"
    assert parse_s3_uri("s3://lake/raw/taxi/a b?.csv") == ("lake", "raw/taxi/a b?.csv")


@pytest.mark.parametrize(
    "text", ["", "s3://", "s3://lake", "s3://lake/", "s3:///key", "lake/key", "s3a://lake/key"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an S3 URI; write s3://BUCKET/KEY"):
        parse_s3_uri(text)
