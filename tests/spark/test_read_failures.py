"""Tests that Spark's error about a file says whether S3 refused the object."""

import pytest

from glue_scripts.spark_errors import read_failure


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("java.nio.file.AccessDeniedException: s3a://lake/a.csv: open s3a://lake/a.csv", "access_denied"),
        ("S3Exception: not authorized: kms:Decrypt (AccessDenied)", "kms_key_denied"),
        ("S3Exception: The operation is not valid (InvalidObjectState)", "archived"),
        (
            "AWSBadRequestException: getFileStatus on s3a://lake/a.csv: null (Status Code: 400)",
            "encrypted_with_customer_key",
        ),
        ("AWSBadRequestException: getFileStatus on s3a://lake/a.csv: ExpiredToken", "unreadable"),
        ("Reading past RLE/BitPacking stream", "unreadable"),
    ],
)
def test_sparks_error_says_whether_s3_refused_the_object(text, code):
    assert read_failure(RuntimeError(text)).code == code
