"""The texts of notifications for people: e-mail, SMS and chat.

Programs read the JSON document of `taxi_etl.notifications`; SNS sends people a text for their protocol. An
e-mail has five parts: outcome, files, time and cost, next steps, link. The state machine joins the same parts
with JSONata (`stacks.workflow.message_texts`), because only it knows the time and the cost.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taxi_etl.datasets import DATASETS
from taxi_etl.documents import shorten
from taxi_etl.file_status import FileStatus
from taxi_etl.names import RAW_PREFIX
from taxi_etl.remedies import Then, remedy
from taxi_etl.s3_uris import s3_uri

TIME_AND_COST = "Time and cost: "
NEXT = "Next:\n"
EXECUTION = "Execution: "
PART_BREAK = "\n\n"
COMMAND_END, COMMAND_BREAK = "`. ", "`.\n"
"""The end of a step with a command, and its replacement, which puts the next step on a new line."""
NO_JOB_RUN = "No job run was billed for these files."
NOT_REPORTED = "unknown, because the execution could not report its own end."
EMAIL_FILES_MAX = 10
"""How many files an e-mail lists."""
FILES_MAX_BYTES = 12 * 1024
"""The limit of an e-mail's list of files, as JSON."""
SMS_MAX = 140
CUT = "..."
CHAT_MAX = 2000
"""The limit of a chat message's description, in characters."""
CHAT_FORMAT = {"version": "1.0", "source": "custom"}
CHAT_MARKUP = "client-markdown"
EXAMPLE_MAX = 200
_FILES = "Files:"
_FIX = "  To fix it: "
_LOAD_STEPS = {
    Then.NOTHING: "",
    Then.REPLAY: "replay it",
    Then.UPLOAD: "upload it under the same key. It loads automatically",
    Then.UPLOAD_ELSEWHERE: "upload it under a new key. It loads automatically",
}
_ORDER = (FileStatus.FAILED, FileStatus.REJECTED, FileStatus.LOADED, FileStatus.SUPERSEDED)


def email_text(outcome: str, *, files: str = "", facts: str = "", next_step: str, link: str = "") -> str:
    """The text of an e-mail: `files` is a `files_text`, `facts` are time and cost. Parts may be empty."""
    parts = (
        one_line(outcome),
        files,
        facts and f"{TIME_AND_COST}{facts}",
        f"{NEXT}{next_step.replace(COMMAND_END, COMMAND_BREAK)}",
        link and f"{EXECUTION}{link}",
    )
    return PART_BREAK.join(part for part in parts if part)


def files_text(bucket: str, files: Sequence[Mapping[str, Any]], omitted: int = 0) -> str:
    """The files of an e-mail, those that did not load first, with counts, reasons and how to fix each.

    `files` are entries of a notification. Those of rejected files need no status, and `example` is an
    example of a row that failed validation. `omitted` is the number of files that `files` lacks.
    """
    ordered = sorted(files, key=lambda file: _ORDER.index(_status(file)))
    for listed in range(min(EMAIL_FILES_MAX, len(ordered)), -1, -1):
        more = len(ordered) - listed + omitted
        lines = [line for file in ordered[:listed] for line in _file_lines(bucket, file)]
        text = "\n".join([_FILES, *_without_repeated_fixes(lines), *([f"- and {more} more"] if more else [])])
        if len(json.dumps(text)) <= FILES_MAX_BYTES:
            break
    return text if files or omitted else ""


def removed_text(rows: Mapping[str, int]) -> str:
    """The tables of an e-mail about removed rows; empty if an earlier call removed them."""
    lines = [f"- {table}: {count:,} rows removed" for table, count in rows.items()]
    return "\n".join(["Tables:", *lines]) if lines else ""


def sms_text(subject: str, detail: str) -> str:
    """One line of ASCII in at most SMS_MAX characters: the subject of the message and one detail."""
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in f"{subject}: {detail}")
    return text if len(text) <= SMS_MAX else text[: SMS_MAX - len(CUT)] + CUT


def chat_text(subject: str, email: str) -> str:
    """A custom notification of Amazon Q Developer in chat applications, from the text of an e-mail."""
    description, _, rest = email.partition(f"{PART_BREAK}{NEXT}")
    content = {
        "textType": CHAT_MARKUP,
        "title": subject,
        "description": description[:CHAT_MAX],
        "nextSteps": [step for step in rest.split("\n") if step],
    }
    return json.dumps({**CHAT_FORMAT, "content": content})


def per_protocol(default: str, subject: str, email: str, detail: str, *, chat: bool) -> str:
    """The Message of an SNS publication with a text per protocol; with `chat`, HTTPS gets a `chat_text`."""
    texts = {"default": default, "email": email, "sms": sms_text(subject, detail)}
    return json.dumps({**texts, "https": chat_text(subject, email)} if chat else texts)


def one_line(text: str) -> str:
    """The text without line breaks and control characters, which a key or an error may contain."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def _without_repeated_fixes(lines: Sequence[str]) -> Iterator[str]:
    """The lines without fixes that repeat the previous fix."""
    last = ""
    for line in lines:
        if line.startswith(_FIX):
            if line == last:
                continue
            last = line
        yield line


def _status(file: Mapping[str, Any]) -> FileStatus:
    return FileStatus(file.get("status", FileStatus.REJECTED))


def _file_lines(bucket: str, file: Mapping[str, Any]) -> Iterator[str]:
    """The line of a file, and for a file that did not load its URI and how to fix it."""
    key, status = str(file["key"]), _status(file)
    folder, _, name = key.rpartition("/")
    name = one_line(shorten(name or key))
    where = "" if f"{folder}/" == RAW_PREFIX else f" in {one_line(shorten(folder))}/"
    if status is FileStatus.LOADED:
        yield f"- {name}{where}: {_loaded(file)}"
        yield from (f"  Warning: {one_line(warning['message'])}" for warning in file.get("warnings", ()))
        return
    if status is FileStatus.SUPERSEDED:
        yield f"- {name}{where}: a newer version replaced it"
        return
    reasons = file.get("reasons") or ()
    why = "; and ".join(one_line(shorten(reason["message"])) for reason in reasons)
    yield f"- {name}: {status}: {why}" if why else f"- {name}: {status}"
    if file.get("example"):
        yield f"  Example: {one_line(shorten(file['example'], EXAMPLE_MAX))}"
    yield f"  Object: {one_line(s3_uri(bucket, key))}"
    yield from (f"{_FIX}{step}" for step in _fix(reasons))


def _loaded(file: Mapping[str, Any]) -> str:
    rows, dataset = file["rows"], DATASETS.get(file["dataset"])
    into = f" into {dataset.table}" if dataset else ""
    text = f"loaded {rows['written']:,} rows{into}, quarantined {rows['quarantined']:,}"
    causes = ", ".join(f"{reason} {count:,}" for reason, count in rows.get("reasons", {}).items())
    return f"{text} ({causes})" if causes else text


def _fix(reasons: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What to do about a file's reasons, if anything, as a sentence."""
    if not reasons:
        return
    found = remedy([f"{reason['code']}: {reason['message']}" for reason in reasons])
    steps = "; then ".join(part for part in (found.advice, _LOAD_STEPS[found.then]) if part)
    if steps:
        yield f"{steps}."
