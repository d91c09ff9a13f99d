"""Tests of batches: files share executions as far as the limits allow."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_etl.batches import BatchLimits, batches
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import ExecutionInput, Trigger

WIDE = BatchLimits(execution_max_files=99, execution_max_bytes=10**12)


def file(key: str, *, bucket: str = "lake", size: int = 1, version_id: str = "v1") -> FileVersion:
    return FileVersion(bucket, key, version_id, size)


def keys(groups: list[tuple[FileVersion, ...]]) -> list[list[str]]:
    return [[version.key for version in group] for group in groups]


def test_no_files_give_no_batches() -> None:
    assert batches([], WIDE, Trigger.S3) == []


def test_a_burst_shares_one_execution_and_the_hundredth_file_starts_another() -> None:
    found = batches([file(f"raw/taxi/{number:03}.csv") for number in range(100)], WIDE, Trigger.S3)
    assert [len(group) for group in found] == [99, 1]


@pytest.mark.parametrize(("last", "sizes"), [(4, [3]), (5, [2, 1])])
def test_bytes_add_up_to_the_limit_and_not_beyond(last: int, sizes: list[int]) -> None:
    files = [file("a", size=3), file("b", size=3), file("c", size=last)]
    assert [len(group) for group in batches(files, BatchLimits(99, 10), Trigger.S3)] == sizes


def test_each_batch_counts_only_its_own_bytes() -> None:
    files = [file("a", size=6), file("b", size=6), file("c", size=3)]
    assert keys(batches(files, BatchLimits(99, 10), Trigger.S3)) == [["a"], ["b", "c"]]


def test_a_file_larger_than_the_limit_is_alone() -> None:
    files = [file("a", size=1), file("b", size=11), file("c", size=1)]
    assert keys(batches(files, BatchLimits(99, 10), Trigger.S3)) == [["a"], ["b"], ["c"]]


def test_buckets_never_share_an_execution() -> None:
    found = batches(
        [file("b", bucket="two"), file("a", bucket="one"), file("c", bucket="one")], WIDE, Trigger.S3
    )
    assert keys(found) == [["a", "c"], ["b"]]


def test_a_version_given_twice_is_in_one_batch_once() -> None:
    found = batches([file("a"), file("a"), file("a", version_id="v2")], WIDE, Trigger.S3)
    assert [[version.version_id for version in group] for group in found] == [["v1", "v2"]]


def test_batches_do_not_depend_on_the_order_of_arrival() -> None:
    files = [file(f"raw/taxi/{number}.csv", size=number) for number in range(40)]
    shuffled = random.Random(7).sample(files, len(files))
    limits = BatchLimits(execution_max_files=7, execution_max_bytes=60)
    assert batches(shuffled, limits, Trigger.S3) == batches(files, limits, Trigger.S3)


@pytest.mark.parametrize("letter", ["k", "ü", "語", "\U0001f695", '"', "\x01"])
def test_an_input_stays_below_64_kib_whatever_the_keys_are_made_of(letter: str) -> None:
    longest = letter * (1024 // len(letter.encode()))
    files = [file(longest, version_id=f"{number:032}") for number in range(99)]
    found = batches(files, WIDE, Trigger.BACKFILL)
    lengths = [len(ExecutionInput("lake", group, Trigger.BACKFILL).dumps().encode()) for group in found]
    assert sum(len(group) for group in found) == 99
    assert max(lengths) < 65_536
    # No more groups than needed: all but the last are too full for one more file.
    one_more = len(ExecutionInput("lake", found[0][:1], Trigger.BACKFILL).dumps().encode())
    assert all(length + one_more > 65_536 for length in lengths[:-1])


@pytest.mark.parametrize(("input_bytes", "groups"), [(65_535, [3]), (65_536, [2, 1])])
def test_an_input_takes_all_but_the_last_byte_of_its_limit(input_bytes: int, groups: list[int]) -> None:
    files = [file("a"), file("b"), file("c")]
    written = len(ExecutionInput("lake", tuple(files), Trigger.S3).dumps().encode())
    files[2] = replace(files[2], etag="e" * (input_bytes - written))
    assert len(ExecutionInput("lake", tuple(files), Trigger.S3).dumps().encode()) == input_bytes
    assert [len(group) for group in batches(files, WIDE, Trigger.S3)] == groups


@pytest.mark.parametrize(("execution_max_files", "execution_max_bytes"), [(0, 1), (100, 1), (1, 0)])
def test_limits_that_no_claim_can_meet_are_an_error(
    execution_max_files: int, execution_max_bytes: int
) -> None:
    with pytest.raises(ValueError, match="an execution takes"):
        BatchLimits(execution_max_files, execution_max_bytes)


@given(
    st.lists(
        st.builds(file, st.text("abc", min_size=1), bucket=st.sampled_from("xy"), size=st.integers(0, 9))
    ),
    st.integers(1, 5),
    st.integers(1, 20),
)
def test_every_version_is_in_exactly_one_batch(
    files: list[FileVersion], execution_max_files: int, execution_max_bytes: int
) -> None:
    found = batches(files, BatchLimits(execution_max_files, execution_max_bytes), Trigger.S3)
    placed = [version.identity for group in found for version in group]
    assert sorted(placed) == sorted({version.identity for version in files})
    assert all(len(group) <= execution_max_files for group in found)
    assert all(len({version.bucket for version in group}) == 1 for group in found)
    assert all(sum(each.size for each in group) <= execution_max_bytes for group in found if len(group) > 1)
