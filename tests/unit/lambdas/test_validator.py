"""Tests that validation decides about each file from a few bytes, and that AWS faults are not rejections."""

import gzip
import io
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from fakes import footer_process
from fakes.faults import fault
from fakes.s3 import Buckets

from lambdas.validate_input import validation
from lambdas.validate_input.footer_reader import FooterReader
from taxi_etl.documents import AcceptedFile, Manifest
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import InvalidInputError
from taxi_etl.message_texts import FILES_MAX_BYTES
from taxi_etl.schema import SourceColumn, SourceType, text_columns

Handler = Callable[[Any], Any]
MANIFEST_KEY = "runs/etl-pipeline-workflow/nightly/manifest.json"
CSV_NAMES = (
    "VendorID",
    "lpep_pickup_datetime",
    "Lpep_dropoff_datetime",
    "PULocationID",
    "DOLocationID",
    "trip_distance",
    "fare_amount",
    "total_amount",
)
CSV = (",".join(CSV_NAMES) + "\n").encode()


def parquet(rows: int = 3, metadata: dict[str, bytes] | None = None, **options: Any) -> bytes:
    """Return a Parquet file of green trips."""
    table = pa.table(
        {
            "VendorID": pa.array([2] * rows, pa.int32()),
            "lpep_pickup_datetime": pa.array([0] * rows, pa.timestamp("us")),
            "lpep_dropoff_datetime": pa.array([1] * rows, pa.timestamp("us")),
            "store_and_fwd_flag": pa.array(["N"] * rows, pa.large_string()),
            "PULocationID": pa.array([74] * rows, pa.int32()),
            "DOLocationID": pa.array([42] * rows, pa.int32()),
            "trip_distance": pa.array([1.5] * rows, pa.float64()),
            "fare_amount": pa.array([9.0] * rows, pa.float64()),
            "total_amount": pa.array([9.5] * rows, pa.float64()),
            "ehail_fee": pa.array([None] * rows, pa.null()),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), sink, **options)
    return sink.getvalue()


def key(name: str) -> str:
    return f"raw/taxi/{name}"


def one(name: str, version_id: str = "v1") -> dict[str, Any]:
    return {"bucket": "lake", "files": [{"key": key(name), "versionId": version_id}], "trigger": "s3"}


def manifest(s3: Buckets) -> Manifest:
    return Manifest.loads(s3.get_object(Bucket="lake", Key=MANIFEST_KEY)["Body"].read())


def codes(answer: dict[str, Any]) -> list[str]:
    """Return the failure codes of the only rejected file."""
    (rejected,) = answer["rejected"]
    return [reason["code"] for reason in rejected["reasons"]]


def test_the_summary_of_a_valid_file_is_what_the_state_machine_expects(
    validate: Handler, s3: Buckets
) -> None:
    s3.upload("lake", key("green_tripdata_2024-01.parquet"), parquet(), "v1")
    answer = validate(one("green_tripdata_2024-01.parquet"))
    assert answer | {"subjects": {}, "jobFailure": {}} == {
        "valid": True,
        "bucket": "lake",
        "key": "raw/taxi/green_tripdata_2024-01.parquet",
        "label": "green_tripdata_2024-01.parquet",
        "counts": {"files": 1, "valid": 1, "rejected": 0, "superseded": 0},
        "rejected": [],
        "rejectedOmitted": 0,
        "manifest": f"s3://lake/{MANIFEST_KEY}",
        "engine": "glue",
        "engineReason": "the Glue job loads all batches",
        "failure": None,
        "message": None,
        "email": None,
        "brief": None,
        "subjects": {},
        "jobFailure": {},
    }


def test_the_manifest_describes_an_accepted_file(validate: Handler, s3: Buckets) -> None:
    content = parquet()
    s3.upload("lake", key("green_tripdata_2024-01.parquet"), content, "v1")
    validate(one("green_tripdata_2024-01.parquet"))
    assert manifest(s3) == Manifest(
        execution="nightly",
        bucket="lake",
        trigger="s3",
        accepted=(
            AcceptedFile(
                version=FileVersion(
                    "lake", key("green_tripdata_2024-01.parquet"), "v1", len(content), "e7a9"
                ),
                dataset="green",
                format="parquet",
                columns=(
                    SourceColumn("VendorID", SourceType.INTEGER),
                    SourceColumn("lpep_pickup_datetime", SourceType.TIMESTAMP),
                    SourceColumn("lpep_dropoff_datetime", SourceType.TIMESTAMP),
                    SourceColumn("store_and_fwd_flag", SourceType.STRING),
                    SourceColumn("PULocationID", SourceType.INTEGER),
                    SourceColumn("DOLocationID", SourceType.INTEGER),
                    SourceColumn("trip_distance", SourceType.DOUBLE),
                    SourceColumn("fare_amount", SourceType.DOUBLE),
                    SourceColumn("total_amount", SourceType.DOUBLE),
                    SourceColumn("ehail_fee", SourceType.NULL),
                ),
            ),
        ),
    )
    (stored,) = s3.arguments("put_object")
    assert (stored["Bucket"], stored["Key"]) == ("lake", MANIFEST_KEY)
    assert stored["ContentType"] == "application/json"


@pytest.mark.parametrize(
    ("name", "content", "compression", "encoding"),
    [
        ("green.csv", CSV, "none", "utf-8"),
        ("green.csv.gz", gzip.compress(CSV, mtime=0), "gzip", "utf-8"),
        ("green_bom.csv", b"\xef\xbb\xbf" + CSV, "none", "utf-8-sig"),
    ],
)
def test_csv_files_are_accepted_with_their_encoding(
    *, validate: Handler, s3: Buckets, name: str, content: bytes, compression: str, encoding: str
) -> None:
    s3.upload("lake", key(name), content, "v1")
    assert validate(one(name))["valid"] is True
    (accepted,) = manifest(s3).accepted
    assert (accepted.dataset, accepted.format) == ("green", "csv")
    assert (accepted.compression, accepted.encoding) == (compression, encoding)
    assert accepted.columns == text_columns(CSV_NAMES)


def test_a_large_csv_file_is_validated_by_its_first_and_last_bytes(validate: Handler, s3: Buckets) -> None:
    large = CSV + b"2,2024-01-01 00:00:00,2024-01-01 00:01:00,74,42,1,9,9\n" * 100_000
    s3.upload("lake", key("green.csv"), large, "v1")
    assert validate(one("green.csv"))["valid"] is True
    assert (len(s3.arguments("head_object")), s3.bytes_read()) == (1, 2 * 65_536)


def test_a_csv_file_whose_last_line_was_cut_off_is_truncated(validate: Handler, s3: Buckets) -> None:
    rows = b"2,2024-01-01 00:00:00,2024-01-01 00:01:00,74,42,1,9,9\n" * 10_000
    s3.upload("lake", key("green.csv"), CSV + rows + b"2,2024-01-01 00:0", "v1")
    answer = validate(one("green.csv"))
    assert codes(answer) == ["truncated"]
    assert "no line end" in answer["rejected"][0]["reasons"][0]["message"]
    s3.upload("lake", key("green.csv"), CSV + rows[:-1], "v2")
    assert validate(one("green.csv", "v2"))["valid"] is True


def test_a_large_parquet_file_is_validated_by_its_first_and_last_bytes(
    validate: Handler, s3: Buckets
) -> None:
    large = parquet(rows=60_000, compression="none", use_dictionary=False)
    assert len(large) > 1_000_000
    s3.upload("lake", key("green.parquet"), large, "v1")
    assert validate(one("green.parquet"))["valid"] is True
    assert s3.bytes_read() == 2 * 65_536


def test_a_footer_larger_than_the_tail_is_read_whole(validate: Handler, s3: Buckets) -> None:
    many_groups = parquet(rows=400, row_group_size=1)
    (footer_length,) = struct.unpack("<I", many_groups[-8:-4])
    assert footer_length > 262_144
    s3.upload("lake", key("green.parquet"), many_groups, "v1")
    assert validate(one("green.parquet"))["valid"] is True
    assert s3.bytes_read() == 2 * 65_536 + footer_length + 8


def test_every_read_names_the_version_that_is_validated(validate: Handler, s3: Buckets) -> None:
    s3.upload(
        "lake", key("green.parquet"), parquet(rows=60_000, compression="none", use_dictionary=False), "v1"
    )
    validate(one("green.parquet"))
    assert {arguments["VersionId"] for arguments in s3.arguments("get_object")} == {"v1"}


def test_a_shorthand_input_is_completed_with_the_current_version(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("green.csv"), b"old", "v1")
    s3.upload("lake", key("green.csv"), CSV, "v2")
    assert validate({"bucket": "lake", "key": key("green.csv")})["valid"] is True
    (accepted,) = manifest(s3).accepted
    assert accepted.version == FileVersion("lake", key("green.csv"), "v2", len(CSV), "e7a9")
    assert manifest(s3).trigger == "manual"


def test_the_sequencer_of_the_event_is_kept(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("green.csv"), CSV, "v1")
    given = one("green.csv")
    given["files"][0]["sequencer"] = "0055AE"
    validate(given)
    assert manifest(s3).accepted[0].version.sequencer == "0055AE"


def test_files_that_end_or_stall_the_reading_process_are_rejected_alone(
    validate: Handler, s3: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = FooterReader((sys.executable, footer_process.__file__), timeout_seconds=0.5)
    monkeypatch.setattr(validation, "READER", reader)
    marks = {
        "a": b"sound",
        "b": footer_process.ABORT,
        "c": b"sound",
        "d": footer_process.SLEEP,
        "e": b"sound",
    }
    for name, mark in marks.items():
        content = parquet(metadata={"test": mark})
        s3.upload("lake", key(f"green_{name}.parquet"), content, "v1")
    files = [{"key": key(f"green_{name}.parquet"), "versionId": "v1"} for name in marks]

    validate({"bucket": "lake", "files": files, "trigger": "s3"})

    reader.close()
    found = manifest(s3)
    assert [file.version.key for file in found.accepted] == [key(f"green_{name}.parquet") for name in "ace"]
    assert [(file.version.key, [str(reason.code) for reason in file.reasons]) for file in found.rejected] == [
        (key("green_b.parquet"), ["not_parquet"]),
        (key("green_d.parquet"), ["not_parquet"]),
    ]
    messages = [file.reasons[0].message for file in found.rejected]
    assert all(message.startswith("the Parquet footer is damaged: reading it ") for message in messages)


# Superseded and missing files


def test_an_older_version_is_superseded_and_not_rejected(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("green.csv"), b"old content", "v1")
    s3.upload("lake", key("green.csv"), CSV, "v2")
    answer = validate(one("green.csv", "v1"))
    assert s3.arguments("get_object") == []
    assert (answer["valid"], answer["rejected"]) == (False, [])
    assert answer["counts"] == {"files": 1, "valid": 0, "rejected": 0, "superseded": 1}
    (file,) = manifest(s3).superseded
    assert file.version.version_id == "v1"


def test_a_deleted_object_is_not_found(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("green.csv"), CSV, "v1")
    s3.delete("lake", key("green.csv"), "marker")
    assert codes(validate(one("green.csv"))) == ["not_found"]


@pytest.mark.parametrize("given", [one("green.csv"), {"bucket": "lake", "key": key("green.csv")}])
def test_an_object_that_never_existed_is_not_found(validate: Handler, given: dict[str, Any]) -> None:
    assert codes(validate(given)) == ["not_found"]


@pytest.mark.parametrize("code", ["404", "405", "400"])
def test_a_missing_or_invalid_version_is_not_found(validate: Handler, s3: Buckets, code: str) -> None:
    s3.upload("lake", key("green.csv"), CSV, "v2")
    original = s3.head_object

    def head_object(**arguments: Any) -> dict[str, Any]:
        if "VersionId" in arguments:
            raise fault(code, "HeadObject")
        return original(**arguments)

    s3.head_object = head_object  # type: ignore[method-assign]
    assert codes(validate(one("green.csv", "v1"))) == ["not_found"]


@pytest.mark.parametrize("code", ["NoSuchVersion", "NoSuchKey"])
def test_an_object_deleted_during_validation_is_not_found(validate: Handler, s3: Buckets, code: str) -> None:
    s3.upload("lake", key("green.csv"), CSV, "v1")
    s3.fail("get_object", fault(code, "GetObject"))
    assert codes(validate(one("green.csv"))) == ["not_found"]


# Rejected files


def test_a_file_outside_the_raw_zone_is_rejected_without_a_request_to_s3(
    validate: Handler, s3: Buckets
) -> None:
    given = {"bucket": "lake", "files": [{"key": "inbox/trips.txt", "versionId": "v1"}]}
    assert codes(validate(given)) == ["wrong_prefix", "unsupported_type"]
    assert [name for name, _ in s3.calls] == ["put_object"]


@pytest.mark.parametrize(
    ("name", "headers", "expected"),
    [
        ("green.txt", {}, ["unsupported_type"]),
        ("green.csv", {"ContentLength": 0}, ["empty"]),
        ("green.csv", {"ContentLength": 10_000_001}, ["too_large"]),
        ("green.csv", {"StorageClass": "DEEP_ARCHIVE"}, ["archived"]),
        ("green.csv", {"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}, ["archived"]),
        ("green.csv", {"ArchiveStatus": "ARCHIVE_ACCESS"}, ["archived"]),
        (
            "green.xls",
            {"ContentLength": 10_000_001, "StorageClass": "GLACIER"},
            ["unsupported_type", "too_large", "archived"],
        ),
    ],
)
def test_a_file_with_invalid_headers_is_rejected_without_reading_it(
    validate: Handler, s3: Buckets, name: str, headers: dict[str, Any], expected: list[str]
) -> None:
    s3.upload("lake", key(name), CSV, "v1", **headers)
    assert codes(validate(one(name))) == expected
    assert s3.arguments("get_object") == []


SSE_C = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided"
)


def refused(code: str, message: str, operation: str = "GetObject") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("head", "get", "code", "said"),
    [
        ("403", ("AccessDenied", "User: x is not authorized"), "access_denied", "allow s3:GetObject"),
        ("403", ("AccessDenied", "not authorized: kms:Decrypt"), "kms_key_denied", "allow kms:Decrypt"),
        ("403", ("InvalidObjectState", "storage class"), "archived", "restore it"),
        ("400", ("InvalidRequest", SSE_C), "encrypted_with_customer_key", "ask the uploader"),
        (None, ("AccessDenied", "Access Denied"), "access_denied", "S3 said: Access Denied"),
        (None, ("KMS.DisabledException", "key is disabled"), "kms_key_denied", "key is disabled"),
        (None, ("InvalidObjectState", "storage class"), "archived", "then replay the file"),
    ],
)
def test_an_object_that_s3_refuses_is_rejected_alone(
    *, validate: Handler, s3: Buckets, head: str | None, get: tuple[str, str], code: str, said: str
) -> None:
    s3.upload("lake", key("a.csv"), CSV, "v1")
    if head:
        s3.fail("head_object", refused(head, "Forbidden", "HeadObject"))
    s3.fail("get_object", refused(*get))
    assert codes(answer := validate(one("a.csv"))) == [code]
    assert said in answer["rejected"][0]["reasons"][0]["message"]
    s3.upload("lake", key("b.csv"), CSV, "v1")
    assert validate(one("b.csv"))["valid"] is True


@pytest.mark.parametrize(
    ("head", "get"),
    [
        ("503", None),
        ("SlowDown", None),
        ("ExpiredToken", None),
        (None, "InternalError"),
        (None, "SlowDown"),
        (None, "InvalidAccessKeyId"),
        ("403", "ExpiredToken"),
        ("400", "RequestTimeTooSkewed"),
        (None, "KMS.ThrottlingException"),
    ],
)
def test_faults_of_aws_are_raised_even_where_the_head_is_refused(
    validate: Handler, s3: Buckets, head: str | None, get: str | None
) -> None:
    s3.upload("lake", key("a.csv"), CSV, "v1")
    if head:
        s3.fail("head_object", refused(head, "x", "HeadObject"))
    if get:
        s3.fail("get_object", refused(get, "x"))
    with pytest.raises(ClientError):
        validate(one("a.csv"))


def test_a_restored_object_is_read(validate: Handler, s3: Buckets) -> None:
    restored = 'ongoing-request="false", expiry-date="Fri, 21 Jun 2024 00:00:00 GMT"'
    s3.upload("lake", key("green.csv"), CSV, "v1", StorageClass="GLACIER", Restore=restored)
    assert validate(one("green.csv"))["valid"] is True


def damaged_footer() -> bytes:
    content = bytearray(parquet())
    (length,) = struct.unpack("<I", content[-8:-4])
    content[-8 - length : -8] = b"\xff" * length
    return bytes(content)


def duplicate_column() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["extra", "extra"]), sink)
    return sink.getvalue()


def middle_missing() -> bytes:
    content = parquet(rows=1_000, compression="none", use_dictionary=False)
    return content[:1_000] + content[2_000:]


def last_byte_of_data_missing() -> bytes:
    content = parquet()
    (length,) = struct.unpack("<I", content[-8:-4])
    return content[: -9 - length] + content[-8 - length :]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.parquet", CSV, "not_parquet"),
        ("a.parquet", last_byte_of_data_missing(), "truncated"),
        ("a.parquet", parquet()[:-1], "truncated"),
        ("a.parquet", parquet()[:20], "truncated"),
        ("a.parquet", damaged_footer(), "not_parquet"),
        ("a.parquet", parquet() + parquet(), "not_parquet"),
        ("a.parquet", middle_missing(), "truncated"),
        ("a.parquet", parquet(compression="brotli"), "unsupported_codec"),
        ("a.parquet", duplicate_column(), "unreadable_header"),
        ("a.csv", parquet(), "not_text"),
        ("a.csv", b"\n" + CSV, "unreadable_header"),
        ("a.csv", b"station,temperature\n", "unknown_dataset"),
        ("a.csv", b"VendorID,Lpep_dropoff_datetime,Ehail_fee,Trip_type\n", "missing_columns"),
        ("payment_type=x/a.csv", CSV, "unreadable_values"),
        ("payment_type=1/payment=2/a.csv", CSV, "unclear_column"),
        ("a.csv.gz", CSV, "not_gzip"),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)[:-4], "truncated"),
    ],
)
def test_a_file_with_invalid_content_is_rejected(
    validate: Handler, s3: Buckets, name: str, content: bytes, expected: str
) -> None:
    s3.upload("lake", key(name), content, "v1")
    assert codes(validate(one(name))) == [expected]
    (rejected,) = manifest(s3).rejected
    assert (rejected.version.size, rejected.version.etag) == (len(content), "e7a9")


PLAIN = {"compression": "none", "use_dictionary": False}


@pytest.mark.parametrize(
    ("first", "last"), [(3, 5_000), (5_000, 3), (5_000, 5_000)], ids=["in_head", "in_tail", "between"]
)
def test_parquet_files_that_were_joined_are_rejected_as_such(
    validate: Handler, s3: Buckets, first: int, last: int
) -> None:
    s3.upload("lake", key("a.parquet"), parquet(first, **PLAIN) + parquet(last, **PLAIN), "v1")
    (reason,) = validate(one("a.parquet"))["rejected"][0]["reasons"]
    assert reason["message"] == "the file is several Parquet files joined byte by byte; upload each of them"


def test_a_page_index_between_data_and_footer_is_not_a_joined_file(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("a.parquet"), parquet(5_000, write_page_index=True, **PLAIN), "v1")
    assert validate(one("a.parquet"))["valid"] is True


# Many files


def test_an_execution_may_have_valid_rejected_and_superseded_files(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("good.csv"), CSV, "v1")
    s3.upload("lake", key("bad.csv"), b"\x00", "v1")
    s3.upload("lake", key("old.csv"), CSV, "v1")
    s3.upload("lake", key("old.csv"), CSV, "v2")
    files = [{"key": key(name), "versionId": "v1"} for name in ("old.csv", "bad.csv", "good.csv")]
    answer = validate({"bucket": "lake", "files": files, "trigger": "backfill"})
    assert answer["counts"] == {"files": 3, "valid": 1, "rejected": 1, "superseded": 1}
    assert (answer["valid"], answer["key"], answer["label"]) == (True, None, "3 files")
    assert [rejected["key"] for rejected in answer["rejected"]] == [key("bad.csv")]
    assert manifest(s3).trigger == "backfill"


def test_99_files_are_validated_and_at_most_twenty_rejections_listed(validate: Handler, s3: Buckets) -> None:
    files = [{"key": key(f"{number:02}.csv"), "versionId": "v1"} for number in range(99)]
    for number, file in enumerate(files):
        s3.upload("lake", file["key"], CSV if number % 2 else b"\x00", "v1")
    answer = validate({"bucket": "lake", "files": files})
    assert answer["counts"] == {"files": 99, "valid": 49, "rejected": 50, "superseded": 0}
    assert (len(answer["rejected"]), answer["rejectedOmitted"]) == (20, 30)
    assert answer["rejected"][1]["key"] == key("02.csv")
    assert len(manifest(s3).rejected) == 50


def test_the_summary_lists_fewer_files_when_their_texts_exceed_its_size_limit(
    validate: Handler, s3: Buckets
) -> None:
    taxis = "🚕" * 230  # 12 bytes of JSON each
    files = [{"key": key(f"{number:02}{taxis}.csv"), "versionId": "v1"} for number in range(20)]
    for file in files:
        s3.upload("lake", file["key"], f"{taxis},b\n1,2\n".encode(), "v1")
    answer = validate({"bucket": "lake", "files": files})
    assert len(json.dumps(answer["rejected"])) <= 65_536
    assert 0 < len(answer["rejected"]) < 20
    assert len(answer["rejected"]) + answer["rejectedOmitted"] == 20
    assert answer["counts"]["rejected"] == 20
    assert len(manifest(s3).rejected) == 20


def test_the_summary_shortens_long_keys_and_reasons(validate: Handler, s3: Buckets) -> None:
    files = [{"key": key(f"{number:02}{'x' * 1_000}.csv"), "versionId": "v1"} for number in range(60)]
    for file in files:
        s3.upload("lake", file["key"], ",".join("y" * 250 for _ in range(200)).encode(), "v1")
    answer = validate({"bucket": "lake", "files": files})
    assert len(json.dumps(answer)) < 32_768 + FILES_MAX_BYTES


def test_a_file_named_with_and_without_its_version_is_one_file(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("green.csv"), CSV, "v1")
    files = [{"key": key("green.csv")}, {"key": key("green.csv"), "versionId": "v1"}]
    assert validate({"bucket": "lake", "files": files})["counts"]["files"] == 1


# Invalid inputs and AWS faults


@pytest.mark.parametrize("given", [None, {}, {"bucket": "lake"}, {"bucket": "lake", "files": []}, "text"])
def test_an_invalid_input_is_an_error(validate: Handler, s3: Buckets, given: Any) -> None:
    with pytest.raises(InvalidInputError):
        validate(given)
    assert s3.calls == []


def test_an_unversioned_bucket_is_refused(validate: Handler, s3: Buckets) -> None:
    s3.unversioned.add("lake")
    s3.upload("lake", key("green.csv"), CSV, "v1")
    with pytest.raises(InvalidInputError, match="the bucket lake is not versioned; turn versioning on"):
        validate({"bucket": "lake", "key": key("green.csv")})


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        *(
            (each, code)
            for each in ("head_object", "get_object", "put_object")
            for code in ("SlowDown", "503")
        ),
        ("head_object", "403"),  # refused only once: the next request succeeds
        ("put_object", "AccessDenied"),
    ],
)
def test_an_aws_fault_is_an_exception_and_not_a_rejection(
    validate: Handler, s3: Buckets, operation: str, code: str
) -> None:
    s3.upload("lake", key("green.csv"), CSV, "v1")
    s3.fail(operation, fault(code))
    with pytest.raises(ClientError, match=code):
        validate(one("green.csv"))


def test_a_response_longer_than_requested_is_not_read(validate: Handler, s3: Buckets) -> None:
    s3.upload("lake", key("green.csv"), CSV * 10_000, "v1")
    original = s3.get_object

    def get_object(**arguments: Any) -> dict[str, Any]:
        return original(**{name: value for name, value in arguments.items() if name != "Range"})

    s3.get_object = get_object  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="requested 65536 bytes of s3://lake/"):
        validate(one("green.csv"))


# Real files


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("truncated_yellow_tripdata_2021-01.parquet", "truncated"),
        ("not_really_gzip.csv.gz", "not_gzip"),
        ("corrupt.csv.gz", "not_gzip"),
        ("PARQUET-1481.parquet", "not_parquet"),
        ("utf16.csv.gz", "unknown_dataset"),
        ("multi_member.csv.gz", "unknown_dataset"),
        ("ARROW-GH-41321.parquet", "unknown_dataset"),
    ],
)
def test_damaged_files_seen_in_the_wild_are_rejected(
    validate: Handler, s3: Buckets, shared_data: Path, name: str, expected: str
) -> None:
    s3.upload("lake", key(name), (shared_data / "corrupt" / name).read_bytes(), "v1")
    assert codes(validate(one(name))) == [expected]


CUT_SAMPLES = {
    "fhv_tripdata_2015-01.csv",
    "fhv_tripdata_2017-01.csv",
    "fhv_tripdata_2017-07.csv",
    "fhv_tripdata_2018-01.csv",
    "fhv_tripdata_2019-01.csv",
    "fhvhv_tripdata_2019-02.csv",
    "yellow_tripdata_2019-01.csv",
}
"""The first bytes of real files, which end in the middle of a row."""


def test_every_real_file_is_accepted_as_its_dataset(
    validate: Handler, s3: Buckets, shared_data: Path
) -> None:
    folders = [shared_data / "tlc" / folder for folder in ("csv", "csv_gz", "parquet")]
    paths = [path for folder in folders for path in folder.iterdir()]
    assert len(paths) > 20
    for path in paths:
        s3.upload("lake", key(path.name), path.read_bytes(), "v1")
    files = [{"key": key(path.name), "versionId": "v1"} for path in paths]
    answer = validate({"bucket": "lake", "files": files})
    rejected = {file["key"]: [reason["code"] for reason in file["reasons"]] for file in answer["rejected"]}
    assert rejected == {key(name): ["truncated"] for name in CUT_SAMPLES}
    accepted = {file.version.key: file.dataset for file in manifest(s3).accepted}
    whole = [path.name for path in paths if path.name not in CUT_SAMPLES]
    assert accepted == {key(name): name.split("_")[0] for name in whole}


def test_an_app_with_both_engines_chooses_by_the_files(
    validate: Handler, s3: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE", "auto")
    s3.upload("lake", key("green_tripdata_2024-01.parquet"), parquet(), "v1")
    given = one("green_tripdata_2024-01.parquet")

    small = validate(given)
    forced = validate({**given, "engine": "glue"})

    assert (small["engine"], small["engineReason"]) == ("duckdb", "")
    assert (forced["engine"], forced["engineReason"]) == ("glue", "the Glue job loads all batches")


def test_the_limits_of_small_batches_are_settings(
    validate: Handler, s3: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE", "auto")
    monkeypatch.setenv("SMALL_BATCH_MAX_COLUMNS", "9")  # the file has ten
    s3.upload("lake", key("green_tripdata_2024-01.parquet"), parquet(), "v1")

    answer = validate(one("green_tripdata_2024-01.parquet"))

    assert answer["engineReason"] == "a file has 10 columns; a small batch has at most 9"


def test_an_input_for_an_engine_that_the_app_does_not_have_is_refused(validate: Handler) -> None:
    with pytest.raises(InvalidInputError, match="this app is deployed with engine = glue"):
        validate({**one("green_tripdata_2024-01.parquet"), "engine": "auto"})
