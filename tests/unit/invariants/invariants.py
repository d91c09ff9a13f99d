"""Invariants that hold once an account has settled, one function each."""

from collections import Counter

from invariants.fake_workflow import LAKE
from invariants.simulated_account import SimulatedAccount, Upload
from taxi_etl.identity import source_id
from taxi_etl.notifications import ANNOUNCED_ERRORS

FINAL = {"loaded", "superseded", "rejected", "failed", "held"}


def check_all(account: SimulatedAccount, repeatable: set[str]) -> None:
    """Check all invariants; `repeatable` are executions whose failure may be published more than once."""
    check_every_version_has_an_end(account)
    check_rows(account)
    check_nothing_is_lost(account)
    check_messages(account, repeatable)


def check_every_version_has_an_end(account: SimulatedAccount) -> None:
    """Check that every version is loaded, superseded, rejected, failed or held, and no claim is open."""
    for upload in account.uploads:
        assert status(account, upload) in FINAL, (
            f"{upload.key} {upload.version_id} is {status(account, upload)}"
        )
    assert not account.open_claims()


def check_rows(account: SimulatedAccount) -> None:
    """Check that the table has the rows of each file's newest loaded version, once.

    Exception: a job that outlived its execution may have committed the rows of a newer, failed version.
    """
    for key in {upload.key for upload in account.uploads}:
        rows = account.workflow.table.rows.get(source_id(LAKE, key), [])
        assert len(rows) <= 1, f"{key} has rows of {rows}"
        versions = [upload for upload in account.uploads if upload.key == key]
        loaded = [upload for upload in versions if status(account, upload) == "loaded"]
        if not loaded:
            continue
        (there,) = rows or ["no version"]
        newer = [
            each.version_id for each in versions if int(each.version_id[1:]) > int(loaded[-1].version_id[1:])
        ]
        unknown = [each.version_id for each in versions if status(account, each) == "failed"]
        assert there == loaded[-1].version_id or (there in newer and there in unknown), (
            f"{key}: {there} is in the table, {loaded[-1].version_id} is recorded as loaded"
        )


def check_nothing_is_lost(account: SimulatedAccount) -> None:
    """Check that a good file's current version is loaded or held, unless its execution was interrupted."""
    for upload in current_and_good(account):
        found = status(account, upload)
        interrupted = (upload.key, upload.version_id) in account.interrupted_files or lost_all_commits(
            account, upload
        )
        excused = found == "held" or (found == "failed" and interrupted)
        assert found == "loaded" or excused, f"{upload.key} {upload.version_id} is current, good, and {found}"


def check_all_current_are_loaded(account: SimulatedAccount) -> None:
    """Check that every good file's current version is loaded, after failed and held files were replayed."""
    for upload in current_and_good(account):
        assert status(account, upload) == "loaded", f"{upload.version_id} is {status(account, upload)}"
        rows = account.workflow.table.rows[source_id(LAKE, upload.key)]
        assert rows == [upload.version_id]


def check_messages(account: SimulatedAccount, repeatable: set[str]) -> None:
    """Check that the finalizer published each failure that the workflow could not publish, and only those.

    It publishes once, or more often when it died after publishing.
    """
    published = Counter(account.topic.published)
    unannounced = [
        ending
        for ending in account.all_endings
        if ending["status"] != "SUCCEEDED" and ending["error"] not in ANNOUNCED_ERRORS
    ]
    expected = Counter(ending["name"] for ending in unannounced)
    for name in set(published) | set(expected):
        last = next(ending for ending in reversed(account.all_endings) if ending["name"] == name)
        # The earlier endings of a redriven execution may stay unpublished.
        least = expected[name] if last["redriveCount"] == 0 else int(last in unannounced)
        assert published[name] >= least, f"{name} ended {last}, and nothing was published"
        assert published[name] <= expected[name] or name in repeatable, (
            f"{name} was published {published[name]} times"
        )
    machine = Counter(name for name, outcome in account.workflow.published if outcome == "FAILED")
    redriven = {ending["name"] for ending in account.all_endings if ending["redriveCount"]}
    both = {name for name in machine if published[name]} - redriven
    assert not both, f"{both} were published by the workflow and by the finalizer"


def current_and_good(account: SimulatedAccount) -> list[Upload]:
    """Return the uploads that can be loaded and are the current versions of their files."""
    current = {
        (key, versions[-1].version_id)
        for (_, key), versions in account.s3.objects.items()
        if versions[-1].content
    }
    return [
        each for each in account.uploads if (each.key, each.version_id) in current and each.kind == "good"
    ]


def lost_all_commits(account: SimulatedAccount, upload: Upload) -> bool:
    """Whether concurrent job runs made each of this upload's commits fail."""
    item = account.ledger.items[(f"{LAKE}/{upload.key}", upload.version_id)]
    return [reason["code"] for reason in item.get("reasons", [])] == ["conflict"]


def status(account: SimulatedAccount, upload: Upload) -> str:
    """Return the ledger's status of an upload."""
    item = account.ledger.items.get((f"{LAKE}/{upload.key}", upload.version_id))
    return str(item["status"]) if item else "not recorded"
