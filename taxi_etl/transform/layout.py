"""Line breaks and indentation for generated SQL expressions.

Only the white space between tokens changes. A quoted name or text is one token, so a line break in a column's
name stays as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH = 118
"""Columns of a line; a comma may follow."""
STEP = 2
TOKEN = re.compile(r"`(?:[^`]|``)*`|r'[^']*'|'(?:[^'\\]|\\.)*'|[\w.]+|\s+|->|[<>=!]+|.", re.DOTALL)
OPERATORS = ("OR", "+", "AND", "RLIKE")
"""Where a chain is broken into lines, in this order."""


@dataclass(frozen=True)
class _Call:
    """Everything between two parentheses: arguments separated by commas."""

    arguments: tuple["_Sequence", ...]


@dataclass(frozen=True)
class _Case:
    """A CASE expression: its keywords, each with what follows it."""

    parts: tuple[tuple[str, "_Sequence"], ...]


_Sequence = tuple["str | _Call | _Case", ...]


def wrapped(expression: str, indent: int) -> str:
    """The expression on one line where it fits, otherwise with one argument or branch per line.

    `indent` is the column at which the expression begins; further lines begin there or further right.
    """
    sequence, _ = _parse(iter(TOKEN.findall(expression)))
    return _render(sequence, indent)


def _parse(tokens: Iterator[str], ends: Sequence[str] = ()) -> tuple[_Sequence, str]:
    """The tokens up to one of `ends`, with parentheses and CASEs as trees, and the end that was met."""
    found: list[str | _Call | _Case] = []
    for text in tokens:
        if text in ends:
            return _stripped(found), text
        if text == "(":
            found.append(_parse_call(tokens))
        elif text == "CASE":
            found.append(_parse_case(tokens))
        else:
            found.append(" " if text.isspace() else text)
    return _stripped(found), ""


def _parse_call(tokens: Iterator[str]) -> _Call:
    arguments, end = [], ","
    while end == ",":
        argument, end = _parse(tokens, (",", ")"))
        arguments.append(argument)
    return _Call(tuple(arguments))


def _parse_case(tokens: Iterator[str]) -> _Case:
    parts, keyword = [], "CASE"
    while keyword not in ("END", ""):
        sequence, following = _parse(tokens, ("WHEN", "THEN", "ELSE", "END"))
        parts.append((keyword, sequence))
        keyword = following
    return _Case(tuple(parts))


def _stripped(sequence: list["str | _Call | _Case"]) -> _Sequence:
    start = 1 if sequence[:1] == [" "] else 0
    end = len(sequence) - (1 if sequence[start:][-1:] == [" "] else 0)
    return tuple(sequence[start:end])


def _flat(node: "_Sequence | str | _Call | _Case") -> str:
    """The node on one line."""
    if isinstance(node, str):
        return node
    if isinstance(node, _Call):
        return f"({', '.join(_flat(argument) for argument in node.arguments)})"
    if isinstance(node, _Case):
        return " ".join(" ".join(filter(None, (word, _flat(after)))) for word, after in node.parts) + " END"
    return "".join(_flat(part) for part in node)


def _render(sequence: _Sequence, indent: int) -> str:
    if indent + len(_flat(sequence)) <= WIDTH:
        return _flat(sequence)
    for operator in OPERATORS:
        operands = _split(sequence, operator)
        if len(operands) > 1:
            inner = indent + len(operator) + 1
            first, *others = operands
            lines = [_render(first, indent), *(f"{operator} {_render(each, inner)}" for each in others)]
            return f"\n{' ' * indent}".join(lines)
    # The longest part is expanded, the others stay on its first or last line, where they fit.
    longest = max(
        (part for part in sequence if not isinstance(part, str)),
        key=lambda part: len(_flat(part)),
        default=None,
    )
    if longest is None:
        return _flat(sequence)
    place = next(number for number, part in enumerate(sequence) if part is longest)
    before, after = sequence[:place], sequence[place + 1 :]
    return _flat(before) + _expanded(longest, indent) + (_render(after, indent + 1) if after else "")


def _split(sequence: _Sequence, operator: str) -> list[_Sequence]:
    """The operands of a chain. The AND of a BETWEEN is not an operator."""
    operands: list[list[str | _Call | _Case]] = [[]]
    in_between = False
    for part in sequence:
        if part == operator and not in_between:
            operands.append([])
        else:
            operands[-1].append(part)
        if part in ("BETWEEN", "AND"):
            in_between = part == "BETWEEN"
    return [_stripped(operand) for operand in operands]


def _expanded(node: "str | _Call | _Case", indent: int) -> str:
    inner = indent + STEP
    line_break, end = f"\n{' ' * inner}", f"\n{' ' * indent}"
    if isinstance(node, _Call):
        arguments = f",{line_break}".join(_render(argument, inner) for argument in node.arguments)
        return f"({line_break}{arguments}{end})"
    if isinstance(node, _Case):
        (_, operand), *parts = node.parts
        lines = [" ".join(filter(None, ("CASE", _flat(operand))))]
        for word, after in parts:
            branch = f"{word} {_flat(after)}"
            if word == "THEN" and inner + len(lines[-1]) + 1 + len(branch) <= WIDTH and "\n" not in lines[-1]:
                lines[-1] += f" {branch}"
            else:
                lines.append(f"{word} {_render(after, inner + len(word) + 1)}")
        return line_break.join(lines) + f"{end}END"
    return node
