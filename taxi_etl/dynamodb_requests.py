"""How is a DynamoDB request written? Expressions with exactly the placeholders they use.

Values are plain Python, as DynamoDB's resource API takes them. Names are all placeholders, since many words
are reserved; names and values are collected from the texts, since DynamoDB refuses those that are declared
and not used.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

Request = dict[str, Any]
"""The arguments of one DynamoDB call, `TableName` excepted."""


def update(
    key: Mapping[str, str],
    changes: Mapping[str, Any],
    *,
    condition: str,
    remove: Sequence[str] = (),
    once: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Request:
    """An UpdateItem: `changes` are set, `once` are set where absent.

    In the condition, a change's name stands for its new value (`:attempts`), and `values` for themselves.
    """
    once = once or {}
    sets = [f"#{name} = :{name}" for name in changes]
    sets += [f"#{name} = if_not_exists(#{name}, :{name})" for name in once]
    text = f"SET {', '.join(sets)}" if sets else ""
    if remove:
        text = f"{text} REMOVE {', '.join(f'#{name}' for name in remove)}".lstrip()
    given = {**changes, **once, **(values or {})}
    used = re.findall(r":(\w+)", f"{text} {condition}")
    plain = {name: str(given[name]) if isinstance(given[name], StrEnum) else given[name] for name in used}
    return {
        "Key": dict(key),
        **expressions(UpdateExpression=text, ConditionExpression=condition),
        "ExpressionAttributeValues": {f":{name}": value for name, value in plain.items()},
    }


def expressions(**texts: str) -> Request:
    """The expressions, with the attribute names they use."""
    names = sorted({name for text in texts.values() for name in re.findall(r"#(\w+)", text)})
    return {**texts, "ExpressionAttributeNames": {f"#{name}": name for name in names}}
