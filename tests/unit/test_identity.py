"""Tests of the identity of files and of execution names."""

from taxi_etl.identity import FileVersion, execution_name, source_id

A = FileVersion("lake", "raw/taxi/a.csv", "v1")
B = FileVersion("lake", "raw/taxi/b.csv", "v1")


def test_the_same_files_in_any_order_make_the_same_execution() -> None:
    assert execution_name([A, B]) == execution_name([B, A])
    assert execution_name([A]) != execution_name([A, B])
    assert execution_name([A]) != execution_name([FileVersion("lake", A.key, "v2")])
    assert execution_name([A]) != execution_name([FileVersion("other", A.key, "v1")])


def test_size_and_etag_are_not_part_of_an_identity() -> None:
    described = FileVersion("lake", A.key, "v1", size=9, etag="e", sequencer="0A")
    assert described.identity == A.identity
    assert execution_name([described]) == execution_name([A])


def test_names_are_such_as_step_functions_takes() -> None:
    name = execution_name([A], attempt=12)
    assert name == f"{execution_name([A])}-12"
    replay = execution_name([A], attempt=12, asked_at="2024-06-01T12:00:00.000Z")
    assert replay == f"{name}-20240601120000000"
    assert execution_name([A], asked_at="2024-06-01T12:00:00.000Z") == (
        f"{execution_name([A])}-1-20240601120000000"
    )
    assert len(replay) <= 80
    assert set(replay) <= set("0123456789abcdef-")


def test_the_same_key_in_two_buckets_owns_two_sets_of_rows() -> None:
    # sha256 of "lake/raw/taxi/a.csv", by sha256sum
    assert source_id("lake", "raw/taxi/a.csv") == "699d1f9aeb8248185657a2311633cefd"
    assert source_id("other", "raw/taxi/a.csv") != source_id("lake", "raw/taxi/a.csv")


def test_a_version_is_read_as_it_was_written() -> None:
    version = FileVersion("lake", "raw/taxi/a.csv", "v1", 9, "e", "0A")
    assert FileVersion.from_json("lake", version.to_json()) == version
    assert FileVersion.from_json("lake", {"key": "k", "versionId": "v"}) == FileVersion("lake", "k", "v")
    assert version.uri == "s3://lake/raw/taxi/a.csv"
