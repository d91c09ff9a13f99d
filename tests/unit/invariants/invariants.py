"""What must hold once everything has come to rest? The promises, one function each."""

from collections import Counter

from invariants.fake_workflow import LAKE
from invariants.simulated_account import SimulatedAccount, Upload
from taxi_etl.identity import source_id
from taxi_etl.notifications import ANNOUNCED_ERRORS

FINAL = {"loaded", "superseded", "rejected", "failed", "held"}


def check_all(world: SimulatedAccount, told_twice: set[str]) -> None:
    """Every promise; `told_twice` are executions over whose telling a closer died."""
    check_every_version_has_an_end(world)
    check_rows(world)
    check_nothing_is_lost(world)
    check_messages(world, told_twice)


def check_every_version_has_an_end(world: SimulatedAccount) -> None:
    """Every announced version is loaded, superseded, rejected, failed or held, and no claim is open."""
    for upload in world.uploads:
        assert status(world, upload) in FINAL, f"{upload.key} {upload.version_id} is {status(world, upload)}"
    assert not world.open_claims()


def check_rows(world: SimulatedAccount) -> None:
    """Of each file the newest loaded version's rows are in the table, once, unless a newer one's are that was
    committed by a run of which nobody could know."""
    for key in {upload.key for upload in world.uploads}:
        rows = world.workflow.table.rows.get(source_id(LAKE, key), [])
        assert len(rows) <= 1, f"{key} is in the table as {rows}"
        versions = [upload for upload in world.uploads if upload.key == key]
        loaded = [upload for upload in versions if status(world, upload) == "loaded"]
        if not loaded:
            continue
        (there,) = rows or ["no version"]
        newer = [
            each.version_id for each in versions if int(each.version_id[1:]) > int(loaded[-1].version_id[1:])
        ]
        unknown = [each.version_id for each in versions if status(world, each) == "failed"]
        assert there == loaded[-1].version_id or (there in newer and there in unknown), (
            f"{key}: {there} is in the table, {loaded[-1].version_id} is recorded as loaded"
        )


def check_nothing_is_lost(world: SimulatedAccount) -> None:
    """A good file's current version is loaded (or held), unless an execution of it came to harm."""
    for upload in current_and_good(world):
        found = status(world, upload)
        came_to_harm = (upload.key, upload.version_id) in world.harmed or refused(world, upload)
        excused = found == "held" or (found == "failed" and came_to_harm)
        assert found == "loaded" or excused, f"{upload.key} {upload.version_id} is current, good, and {found}"


def check_all_current_are_loaded(world: SimulatedAccount) -> None:
    """After a replay of what failed and of what was held, there are no excuses."""
    for upload in current_and_good(world):
        assert status(world, upload) == "loaded", f"{upload.version_id} is {status(world, upload)}"
        rows = world.workflow.table.rows[source_id(LAKE, upload.key)]
        assert rows == [upload.version_id]


def check_messages(world: SimulatedAccount, told_twice: set[str]) -> None:
    """Each ending that the machine could not tell of is told by the closer: once, or more after its death."""
    told = Counter(world.topic.told)
    silent = [
        ending
        for ending in world.all_endings
        if ending["status"] != "SUCCEEDED" and ending["error"] not in ANNOUNCED_ERRORS
    ]
    expected = Counter(ending["name"] for ending in silent)
    for name in set(told) | set(expected):
        last = next(ending for ending in reversed(world.all_endings) if ending["name"] == name)
        # Of an execution that was redriven the earlier endings may go untold: it was on its way again.
        least = expected[name] if last["redriveCount"] == 0 else int(last in silent)
        assert told[name] >= least, f"{name} ended {last}, and nobody told"
        assert told[name] <= expected[name] or name in told_twice, f"{name} was told {told[name]} times"
    machine = Counter(name for name, outcome in world.workflow.told if outcome == "FAILED")
    redriven = {ending["name"] for ending in world.all_endings if ending["redriveCount"]}
    both = {name for name in machine if told[name]} - redriven
    assert not both, f"{both} were told by the machine and by the closer"


def current_and_good(world: SimulatedAccount) -> list[Upload]:
    """The uploads that can be loaded and are their files' current version."""
    current = {
        (key, versions[-1].version_id)
        for (_, key), versions in world.s3.objects.items()
        if versions[-1].content
    }
    return [each for each in world.uploads if (each.key, each.version_id) in current and each.kind == "good"]


def refused(world: SimulatedAccount, upload: Upload) -> bool:
    """Whether so many runs loaded the file at once that this one's commit was refused each time."""
    item = world.ledger.items[(f"{LAKE}/{upload.key}", upload.version_id)]
    return [reason["code"] for reason in item.get("reasons", [])] == ["conflict"]


def status(world: SimulatedAccount, upload: Upload) -> str:
    """What the ledger says about an upload."""
    item = world.ledger.items.get((f"{LAKE}/{upload.key}", upload.version_id))
    return str(item["status"]) if item else "not on record"
