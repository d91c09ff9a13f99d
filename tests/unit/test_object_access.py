"""Tests that S3's refusal of one object is a failure, and that faults are not."""

import pytest

from taxi_etl.object_access import refusal


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("AccessDenied", "Access Denied", "access_denied"),
        ("403", "Forbidden", "access_denied"),
        ("AccessDenied", "is not authorized to perform: kms:Decrypt on resource", "kms_key_denied"),
        ("KMS.NotFoundException", "", "kms_key_denied"),
        ("400", "Bad Request", "encrypted_with_customer_key"),
        ("InvalidRequest", "a form of Server Side Encryption", "encrypted_with_customer_key"),
        ("InvalidObjectState", "The operation is not valid for the object's storage class", "archived"),
    ],
)
def test_a_refusal_has_a_code_and_the_words_of_s3(code: str, message: str, expected: str) -> None:
    found = refusal(code, message)
    assert found is not None
    assert str(found.code) == expected
    assert f"S3 said: {message or code}" in found.message


@pytest.mark.parametrize(
    "code",
    [
        "SlowDown",
        "503",
        "500",
        "InternalError",
        "ExpiredToken",
        "InvalidRequest",
        "KMS.ThrottlingException",
        "404",
    ],
)
def test_a_fault_is_not_a_refusal(code: str) -> None:
    assert refusal(code, "please reduce your request rate") is None
