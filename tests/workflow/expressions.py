"""Static analysis of JSONata expressions: the variables, fields and functions that they reference.

JSONata evaluates a missing variable or field to nothing without an error, and Step Functions fails only when
the whole expression evaluates to nothing. The syntax tree shows such references before anything is executed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException

from tests.workflow.api_shapes import SCALAR, UNKNOWN, Shape, any_of

STEP_FUNCTIONS_ADDITIONS = frozenset({"parse", "partition", "range", "hash", "uuid"})
NOT_IN_STEP_FUNCTIONS = frozenset({"eval"})
RETURN_THEIR_ARGUMENTS = frozenset({"merge", "append", "sort", "reverse", "distinct", "single", "filter"})
RETURN_UNKNOWN_SHAPES = frozenset({"map", "each", "reduce", "sift", "lookup", "spread", "zip"})


@dataclass(frozen=True)
class Scope:
    """What an expression may reference; `states` is the shape of `$states`."""

    variables: Mapping[str, Shape]
    states: Shape
    parsed: Shape = UNKNOWN
    """The shape that `$parse` returns."""


@dataclass
class Analysis:
    """The result for one expression: the shape of its value, and its undefined references."""

    shape: Shape = UNKNOWN
    findings: list[str] = field(default_factory=list)


def expressions(value: Any) -> Iterator[str]:
    """Yield every JSONata expression in a part of the definition."""
    if isinstance(value, dict):
        for part in value.values():
            yield from expressions(part)
    elif isinstance(value, list):
        for part in value:
            yield from expressions(part)
    elif isinstance(value, str) and value.startswith("{%"):
        yield without_delimiters(value)


def without_delimiters(value: str) -> str:
    """Return the expression without `{%` and `%}`."""
    return value.removeprefix("{%").removesuffix("%}").strip()


def analyze(expression: str, scope: Scope) -> Analysis:
    """Return the shape and the undefined references of an expression."""
    try:
        tree = Jsonata(expression).ast
    except JException as error:
        return Analysis(findings=[f"is not valid JSONata: {error}"])
    analyzer = _Analyzer(scope)
    return Analysis(analyzer.shape(tree, {}, UNKNOWN), analyzer.findings)


class _Analyzer:
    """Visits a syntax tree. `local` are the expression's own variables, `context` is the shape of `$`."""

    def __init__(self, scope: Scope) -> None:
        self.findings: list[str] = []
        self._scope = scope
        self._visitors = {
            "path": self._path,
            "bind": self._bind,
            "block": self._block,
            "condition": self._condition,
            "unary": self._unary,
            "binary": self._binary,
            "function": self._call,
            "lambda": self._lambda,
        }

    def shape(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        """Return the shape of a node's value."""
        if node is None or node.type in ("string", "number", "value", "regex"):
            return SCALAR
        if node.type in ("name", "variable"):
            return self._path_step(node, local, context)
        if node.type not in self._visitors:
            self.findings.append(f"contains unknown syntax: {node.type}")
            return UNKNOWN
        return self._visitors[node.type](node, local, context)

    def _path(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        found = context
        for step in node.steps:
            found = self._path_step(step, local, found)
        return found

    def _path_step(self, step: Any, local: dict[str, Shape], context: Shape) -> Shape:
        if step.type in ("name", "string"):
            found = self._field(step.value, context)
        elif step.type == "variable":
            found = self._variable(step.value, local, context)
        else:
            found = self.shape(step, dict(local), context)
        for kind in ("predicate", "stages"):
            for filtered in getattr(step, kind, None) or []:
                self.shape(filtered.expr, local, found)
        return found

    def _field(self, name: str, shape: Shape) -> Shape:
        if shape is None:
            return UNKNOWN
        if name not in shape:
            self.findings.append(f"reads the field {name}, which is not among {sorted(shape)}")
            return UNKNOWN
        found: Shape = shape[name]
        return found

    def _variable(self, name: str, local: dict[str, Shape], context: Shape) -> Shape:
        if name == "":
            return context
        if name == "$":
            return UNKNOWN
        if name == "states":
            return self._scope.states
        for variables in (local, self._scope.variables):
            if name in variables:
                return variables[name]
        self.findings.append(f"reads ${name}, which is not set on every path to this state")
        return UNKNOWN

    def _bind(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        local[node.lhs.value] = self.shape(node.rhs, local, context)
        return local[node.lhs.value]

    def _block(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        inside, found = dict(local), SCALAR
        for part in node.expressions:
            found = self.shape(part, inside, context)
        return found

    def _condition(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        self.shape(node.condition, local, context)
        return any_of([self.shape(branch, local, context) for branch in (node.then, node._else)])

    def _binary(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        for side in (node.lhs, node.rhs):
            self.shape(side, local, context)
        return SCALAR

    def _unary(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        if node.value == "{":
            return {str(name.value): self.shape(value, local, context) for name, value in node.lhs_object}
        if node.value == "[":
            return any_of([self.shape(part, local, context) for part in node.expressions])
        self.shape(node.expression, local, context)
        return SCALAR

    def _lambda(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        arguments = {argument.value: UNKNOWN for argument in node.arguments}
        self.shape(node.body, {**local, **arguments}, context)
        return UNKNOWN

    def _call(self, node: Any, local: dict[str, Shape], context: Shape) -> Shape:
        name = node.procedure.value if node.procedure.type == "variable" else ""
        arguments = [self.shape(argument, local, context) for argument in node.arguments]
        if name in local or not name:
            return UNKNOWN
        known = Jsonata.static_frame.lookup(name) is not None or name in STEP_FUNCTIONS_ADDITIONS
        if not known or name in NOT_IN_STEP_FUNCTIONS:
            self.findings.append(f"calls ${name}, which Step Functions does not have")
            return UNKNOWN
        if name == "parse":
            return self._scope.parsed
        if name in RETURN_THEIR_ARGUMENTS:
            return any_of(arguments)
        return UNKNOWN if name in RETURN_UNKNOWN_SHAPES else SCALAR
