"""Evaluator of the DynamoDB expressions that the ledger sends.

It keeps DynamoDB's strict rules: a comparison with a missing attribute is false, except that `<>` is true;
placeholders must be declared and used; an update changes each attribute once.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKENS = re.compile(r"\s*(<>|<=|>=|[(),=<>]|:\w+|#\w+|\w+)")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
MISSING = object()


class InvalidExpressionError(AssertionError):
    """An expression for which DynamoDB returns a ValidationException."""


def check_placeholders(request: Mapping[str, Any]) -> None:
    """Raise InvalidExpressionError when placeholders and declarations differ."""
    text = " ".join(value for name, value in request.items() if name.endswith("Expression"))
    for sign, declared in (("#", "ExpressionAttributeNames"), (":", "ExpressionAttributeValues")):
        used = set(re.findall(rf"{sign}\w+", text))
        if used != set(request.get(declared, {})):
            raise InvalidExpressionError(f"{declared} {sorted(request.get(declared, {}))} in {text!r}")
        if declared in request and not request[declared]:
            raise InvalidExpressionError(f"{declared} must not be empty")


def holds(text: str, item: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Whether a condition holds for an item; `{}` means that there is no item."""
    tokens = TOKENS.findall(text)
    value, rest = _disjunction(tokens, item, request)
    if rest:
        raise InvalidExpressionError(f"cannot parse {' '.join(rest)!r} in {text!r}")
    return value


def updated(item: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the item after an UpdateExpression of SET and REMOVE clauses."""
    text = request["UpdateExpression"]
    names, values = request["ExpressionAttributeNames"], request.get("ExpressionAttributeValues", {})
    sets, _, removes = text.partition("REMOVE ")
    after = dict(item)
    touched: list[str] = []
    for clause in _clauses(sets.strip().removeprefix("SET ")):
        found = re.fullmatch(r"(#\w+) = (?:if_not_exists\((#\w+), (:\w+)\)|(:\w+))", clause)
        if not found:
            raise InvalidExpressionError(f"cannot parse {clause!r}")
        name = names[found[1]]
        touched.append(name)
        if found[4]:
            after[name] = values[found[4]]
        else:
            after[name] = item.get(names[found[2]], values[found[3]])
    for clause in _clauses(removes):
        touched.append(names[clause])
        after.pop(names[clause], None)
    if len(touched) != len(set(touched)):
        raise InvalidExpressionError(f"two changes of one attribute in {text!r}")
    return after


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in re.split(r",(?![^(]*\))", text) if clause.strip()]


def _disjunction(
    tokens: list[str], item: Mapping[str, Any], request: Mapping[str, Any]
) -> tuple[bool, list[str]]:
    value, rest = _conjunction(tokens, item, request)
    while rest and rest[0] == "OR":
        other, rest = _conjunction(rest[1:], item, request)
        value = value or other
    return value, rest


def _conjunction(
    tokens: list[str], item: Mapping[str, Any], request: Mapping[str, Any]
) -> tuple[bool, list[str]]:
    value, rest = _comparison(tokens, item, request)
    while rest and rest[0] == "AND":
        other, rest = _comparison(rest[1:], item, request)
        value = value and other
    return value, rest


def _comparison(
    tokens: list[str], item: Mapping[str, Any], request: Mapping[str, Any]
) -> tuple[bool, list[str]]:
    first, *rest = tokens
    if first == "(":
        value, rest = _disjunction(rest, item, request)
        return value, rest[1:]
    if first in ("attribute_exists", "attribute_not_exists"):
        there = _value(rest[1], item, request) is not MISSING
        return there == (first == "attribute_exists"), rest[3:]
    left = _value(first, item, request)
    if rest[0] == "IN":
        end = rest.index(")")
        options = [_value(token, item, request) for token in rest[2:end] if token != ","]
        return left in options, rest[end + 1 :]
    right = _value(rest[1], item, request)
    if rest[0] == "<>":
        return left is MISSING or left != right, rest[2:]
    return left is not MISSING and COMPARISONS[rest[0]](left, right), rest[2:]


def _value(token: str, item: Mapping[str, Any], request: Mapping[str, Any]) -> Any:
    if token.startswith(":"):
        return request["ExpressionAttributeValues"][token]
    return item.get(request["ExpressionAttributeNames"][token], MISSING)
