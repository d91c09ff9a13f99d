"""What does a JSONata expression read? Variables, fields and functions, found in its syntax tree.

JSONata gives nothing, silently, for a variable or field that is not there; so does Step Functions until the
expression as a whole gives nothing. Hence this reading.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException

from tests.workflow.api_shapes import SCALAR, UNKNOWN, Shape, any_of

STEP_FUNCTIONS_OWN = frozenset({"parse", "partition", "range", "hash", "uuid"})
NOT_IN_STEP_FUNCTIONS = frozenset({"eval"})
LIKE_THEIR_ARGUMENTS = frozenset({"merge", "append", "sort", "reverse", "distinct", "single", "filter"})
UNKNOWABLE = frozenset({"map", "each", "reduce", "sift", "lookup", "spread", "zip"})


@dataclass
class Reading:
    """What one expression does: `findings` are reads of what is not there, `shape` is what it gives."""

    variables: Mapping[str, Shape]
    states: Shape
    parsed: Shape = UNKNOWN
    """What `$parse` of a result's text gives."""
    findings: list[str] = field(default_factory=list)
    shape: Shape = UNKNOWN


def expressions(value: Any) -> Iterator[str]:
    """Every JSONata expression in a part of the definition."""
    if isinstance(value, dict):
        for part in value.values():
            yield from expressions(part)
    elif isinstance(value, list):
        for part in value:
            yield from expressions(part)
    elif isinstance(value, str) and value.startswith("{%"):
        yield inner(value)


def inner(value: str) -> str:
    """The expression without its delimiters."""
    return value.removeprefix("{%").removesuffix("%}").strip()


def read(expression: str, reading: Reading) -> Reading:
    """Read an expression; `reading` holds what it may use, and takes the findings and the shape."""
    try:
        tree = Jsonata(expression).ast
    except JException as error:
        reading.findings.append(f"no JSONata: {error}")
        return reading
    reading.shape = _shape(tree, {}, UNKNOWN, reading)
    return reading


def _shape(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    """The shape of what a node gives; `bound` are the expression's own variables, `context` is `$`."""
    if node is None or node.type in ("string", "number", "value", "regex"):
        return SCALAR
    if node.type in ("name", "variable"):
        return _step(node, bound, context, reading)
    if node.type not in _KINDS:
        reading.findings.append(f"holds syntax that this check does not know: {node.type}")
        return UNKNOWN
    return _KINDS[node.type](node, bound, context, reading)


def _path(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    found = context
    for step in node.steps:
        found = _step(step, bound, found, reading)
    return found


def _bind(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    bound[node.lhs.value] = _shape(node.rhs, bound, context, reading)
    return bound[node.lhs.value]


def _block(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    inside, found = dict(bound), SCALAR
    for part in node.expressions:
        found = _shape(part, inside, context, reading)
    return found


def _condition(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    _shape(node.condition, bound, context, reading)
    return any_of([_shape(way, bound, context, reading) for way in (node.then, node._else)])


def _binary(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    for side in (node.lhs, node.rhs):
        _shape(side, bound, context, reading)
    return SCALAR


def _lambda(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    arguments = {argument.value: UNKNOWN for argument in node.arguments}
    _shape(node.body, {**bound, **arguments}, context, reading)
    return UNKNOWN


def _step(step: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    if step.type == "name":
        found = _field(step.value, context, reading)
    elif step.type == "variable":
        found = _variable(step.value, bound, context, reading)
    elif step.type == "string":
        found = _field(step.value, context, reading)
    else:
        found = _shape(step, dict(bound), context, reading)
    for kind in ("predicate", "stages"):
        for filtered in getattr(step, kind, None) or []:
            _shape(filtered.expr, bound, found, reading)
    return found


def _field(name: str, shape: Shape, reading: Reading) -> Shape:
    if shape is None:
        return UNKNOWN
    if name not in shape:
        reading.findings.append(f"reads the field {name}, which is not among {sorted(shape)}")
        return UNKNOWN
    found: Shape = shape[name]
    return found


def _variable(name: str, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    if name == "":
        return context
    if name == "$":
        return UNKNOWN
    if name == "states":
        return reading.states
    for known in (bound, reading.variables):
        if name in known:
            return known[name]
    reading.findings.append(f"reads ${name}, which is not set on every way here")
    return UNKNOWN


def _unary(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    if node.value == "{":
        return {str(name.value): _shape(value, bound, context, reading) for name, value in node.lhs_object}
    if node.value == "[":
        return any_of([_shape(part, bound, context, reading) for part in node.expressions])
    _shape(node.expression, bound, context, reading)
    return SCALAR


def _call(node: Any, bound: dict[str, Shape], context: Shape, reading: Reading) -> Shape:
    name = node.procedure.value if node.procedure.type == "variable" else ""
    given = [_shape(argument, bound, context, reading) for argument in node.arguments]
    if name in bound or not name:
        return UNKNOWN
    known = Jsonata.static_frame.lookup(name) is not None or name in STEP_FUNCTIONS_OWN
    if not known or name in NOT_IN_STEP_FUNCTIONS:
        reading.findings.append(f"calls ${name}, which Step Functions does not have")
        return UNKNOWN
    if name == "parse":
        return reading.parsed
    if name in LIKE_THEIR_ARGUMENTS:
        return any_of(given)
    return UNKNOWN if name in UNKNOWABLE else SCALAR


_KINDS = {
    "path": _path,
    "bind": _bind,
    "block": _block,
    "condition": _condition,
    "unary": _unary,
    "binary": _binary,
    "function": _call,
    "lambda": _lambda,
}
