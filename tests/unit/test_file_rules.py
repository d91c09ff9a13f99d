"""Tests of the file rules, with each limit from both sides."""

import pytest

from taxi_etl.failures import FailureCode
from taxi_etl.file_rules import FileFacts, Limits, check_file, file_format, ignored_object_reason, is_gzipped

KEY = "raw/taxi/green_tripdata_2024-01.parquet"
LIMITS = Limits(max_file_bytes=1_000)


def codes(facts: FileFacts) -> list[FailureCode]:
    return [reason.code for reason in check_file(facts, LIMITS)]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
def test_a_file_of_an_allowed_type_is_valid(suffix: str) -> None:
    assert codes(FileFacts(key=f"raw/taxi/2024/trips{suffix}", size=1_000)) == []


@pytest.mark.parametrize(
    "name",
    [
        "trips.txt",
        "trips.parquet.gz",
        "trips.gz",
        "trips.csv.zip",
        "trips",
        "trips.PARQUET",
        "trips.CSV.GZ",
        "csv",
    ],
)
def test_other_types_are_unsupported_to_the_letter(name: str) -> None:
    assert codes(FileFacts(key=f"raw/taxi/{name}", size=5)) == [FailureCode.UNSUPPORTED_TYPE]


@pytest.mark.parametrize("name", ["_trips.csv", ".trips.parquet"])
def test_a_hidden_file_is_unsupported(name: str) -> None:
    [reason] = check_file(FileFacts(key=f"raw/taxi/2024/{name}", size=5), LIMITS)
    assert reason.code is FailureCode.UNSUPPORTED_TYPE
    assert "begins with an underscore or dot" in reason.message


@pytest.mark.parametrize("key", ["raw/taxi/_old/trips.csv", "raw/taxi/.old/trips.csv", "raw/taxi/a_b.c.csv"])
def test_a_folder_may_begin_so_and_a_name_may_hold_both(key: str) -> None:
    assert codes(FileFacts(key=key, size=5)) == []


@pytest.mark.parametrize("key", ["trips.csv", "raw/trips.csv", "raw/taxis/trips.csv", "x/raw/taxi/trips.csv"])
def test_a_key_outside_the_raw_zone_has_the_wrong_prefix(key: str) -> None:
    assert codes(FileFacts(key=key, size=5)) == [FailureCode.WRONG_PREFIX]


@pytest.mark.parametrize(
    "key",
    [
        "raw/taxi//trips.csv",
        "raw/taxi/2024//trips.csv",
        "raw/taxi/./trips.csv",
        "raw/taxi/../../warehouse/yellow_trips/data/part.parquet",
    ],
)
def test_a_key_that_spark_would_change_has_the_wrong_prefix(key: str) -> None:
    [reason] = check_file(FileFacts(key=key, size=5), LIMITS)
    assert reason.code is FailureCode.WRONG_PREFIX
    assert "which Spark ignores" in reason.message


@pytest.mark.parametrize(
    "key", ["raw/taxi/.../trips.csv", "raw/taxi/a..b/trips.csv", "raw/taxi/%2e%2e/trips.csv"]
)
def test_dots_within_a_folders_name_are_part_of_it(key: str) -> None:
    assert codes(FileFacts(key=key, size=5)) == []


@pytest.mark.parametrize("key", ["raw/taxi/", "raw/taxi/.", "raw/taxi/.."])
def test_a_file_name_is_not_checked_as_a_folder(key: str) -> None:
    assert FailureCode.WRONG_PREFIX not in codes(FileFacts(key=key, size=5))


def test_only_the_key_of_a_missing_object_is_checked() -> None:
    facts = FileFacts(key="raw/taxi/a.txt", exists=False, size=0, storage_class="GLACIER", is_current=False)
    assert codes(facts) == [FailureCode.UNSUPPORTED_TYPE, FailureCode.NOT_FOUND]


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, [FailureCode.EMPTY]), (1, []), (1_000, []), (1_001, [FailureCode.TOO_LARGE])],
)
def test_sizes_at_the_limits(size: int, expected: list[FailureCode]) -> None:
    assert codes(FileFacts(key=KEY, size=size)) == expected


def test_the_message_about_a_large_file_names_both_numbers() -> None:
    (reason,) = check_file(FileFacts(key=KEY, size=12_345), LIMITS)
    assert reason.message == "the file has 12,345 bytes; the limit is 1,000"


@pytest.mark.parametrize(
    ("exists", "is_current", "superseded"),
    [(True, True, False), (True, False, True), (False, False, False)],
)
def test_a_version_that_is_not_current_is_superseded(
    *, exists: bool, is_current: bool, superseded: bool
) -> None:
    facts = FileFacts(key=KEY, size=5, exists=exists, is_current=is_current)
    assert facts.is_superseded is superseded


def test_a_superseded_version_is_not_invalid() -> None:
    assert codes(FileFacts(key=KEY, size=5, is_current=False)) == []


@pytest.mark.parametrize(
    ("storage_class", "archive_status", "restored", "expected"),
    [
        ("GLACIER", "", False, [FailureCode.ARCHIVED]),
        ("DEEP_ARCHIVE", "", False, [FailureCode.ARCHIVED]),
        ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS", False, [FailureCode.ARCHIVED]),
        ("INTELLIGENT_TIERING", "", False, []),
        ("GLACIER_IR", "", False, []),
        ("STANDARD_IA", "", False, []),
        ("GLACIER", "", True, []),
    ],
)
def test_only_what_needs_a_restore_counts_as_archived(
    storage_class: str, archive_status: str, restored: bool, expected: list[FailureCode]
) -> None:
    facts = FileFacts(
        key=KEY, size=5, storage_class=storage_class, archive_status=archive_status, restored=restored
    )
    assert codes(facts) == expected


def test_the_message_about_an_archived_file_names_the_tier() -> None:
    tiered = FileFacts(
        key=KEY, size=5, storage_class="INTELLIGENT_TIERING", archive_status="DEEP_ARCHIVE_ACCESS"
    )
    (reason,) = check_file(tiered, LIMITS)
    assert reason.message == "the object is archived (DEEP_ARCHIVE_ACCESS); restore it, then replay the file"


def test_every_reason_is_reported() -> None:
    facts = FileFacts(key="old/trips.xls", size=2_000, storage_class="GLACIER")
    assert codes(facts) == [
        FailureCode.WRONG_PREFIX,
        FailureCode.UNSUPPORTED_TYPE,
        FailureCode.TOO_LARGE,
        FailureCode.ARCHIVED,
    ]


def test_the_suffix_determines_format_and_compression() -> None:
    assert [file_format(name) for name in ("a.parquet", "a.csv", "a.csv.gz", "a.gz")] == [
        "parquet",
        "csv",
        "csv",
        None,
    ]
    assert [is_gzipped(name) for name in ("a.csv.gz", "a.csv", "gz.csv")] == [True, False, False]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("_committed_8001", "its name begins with an underscore"),
        ("_started_8001", "its name begins with an underscore"),
        (".DS_Store", "its name begins with a dot"),
        ("~$trips.csv", "it is the lock file"),
        ("part-0.parquet.CRC", "it is a checksum"),
        ("trips.csv.filepart", "it is an unfinished transfer"),
        ("trips.csv.crdownload", "it is an unfinished transfer"),
        ("trips.csv._COPYING_", "it is an unfinished transfer"),
        ("trips.csv.3f9a.partial", "it is an unfinished transfer"),
        ("trips.parquet.tmp", "it is a temporary file"),
        ("trips.csv~", "it is a temporary file"),
        ("trips.csv.md5", "it is the checksum of a file"),
        ("trips.csv.sha256", "it is the checksum of a file"),
        ("8f1c.csv.metadata", "it is what Athena writes"),
        ("trips.csv.3f9a.part.minio", "it is an unfinished transfer"),
        ("part-0-0.inprogress", "it is an unfinished transfer"),
        ("trips.csv.lock", "it is a lock file"),
        ("2019/Thumbs.db", "it is what Windows writes"),
        (".~lock.trips.csv#", "its name begins with a dot"),
        ("_temporary/0/_temporary/task/part-0.csv", "its folder _temporary holds"),
        (".ipynb_checkpoints/trips-checkpoint.csv", "its folder .ipynb_checkpoints holds"),
        (".Trash-1000/files/trips.csv", "its folder .trash-1000 holds"),
        ("delta/_change_data/cdc-0.parquet", "its folder _change_data holds"),
        (".hoodie/metadata/files/part-0.parquet", "its folder .hoodie holds"),
        ("2019/", "it is a folder marker"),
        ("2019_$folder$", "it is a folder marker"),
        ("__MACOSX/trips.csv", "its folder __macosx holds"),
        (".spark-staging-1f/part-0.parquet", "its folder .spark-staging-1f holds"),
        ("_delta_log/0001.checkpoint.parquet", "its folder _delta_log holds"),
    ],
)
def test_markers_and_temporary_objects_are_ignored(name: str, reason: str) -> None:
    assert (ignored_object_reason(f"raw/taxi/{name}") or "").startswith(reason)


@pytest.mark.parametrize(
    "name",
    [
        *("trips.csv", "_old/trips.csv", "part-0.parquet", "a_b.csv.gz", "tmp/part.csv", "crc.csv", "x.txt"),
        *("desktop.ini.csv", "trips.metadata", "lock.csv", "md5/trips.csv", "trips.csv.part1", "trash/a.csv"),
    ],
)
def test_other_objects_are_not_ignored(name: str) -> None:
    assert ignored_object_reason(f"raw/taxi/{name}", 0) is None


def test_an_empty_object_is_a_folder_marker_only_if_its_name_has_no_suffix() -> None:
    assert ignored_object_reason("raw/taxi/2019", 0) == "it is a folder marker of zero bytes"
    assert ignored_object_reason("raw/taxi/2019", 1) is ignored_object_reason("raw/taxi/2019") is None


def test_a_trip_file_in_a_temporary_folder_is_unsupported() -> None:
    [reason] = check_file(FileFacts(key="raw/taxi/_temporary/0/trips.csv", size=5), LIMITS)
    assert reason.code is FailureCode.UNSUPPORTED_TYPE
    assert "its folder _temporary holds the temporary files" in reason.message
