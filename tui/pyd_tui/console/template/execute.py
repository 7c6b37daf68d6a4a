"""Execution of templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyd_core.errors import InvalidInput, PydError
from pyd_core.sanitise import safe
from pyd_tui.console.template.functions import FUNCTIONS, text, truth
from pyd_tui.console.template.nodes import Chain, Function, Literal, Node, Pipe, Show, TemplateBlock, Term, Text
from pyd_tui.console.template.parse import parse

MAX_RANGE = 100_000
"""Iterations of one `range` over a number."""


class Template:
    """A template, parsed once and filled in for several values.

    Args:
        source: As the user typed it.
        absent: The fields that data may omit; they have no value then.

    Raises:
        InvalidInput: The template is malformed.
    """

    def __init__(self, source: str, *, absent: frozenset[str] = frozenset()) -> None:
        self._nodes = parse(source)
        self._absent = absent

    def fill(self, data: Any) -> str:
        """Return the text for one value.

        Args:
            data: A JSON value; functions in it are called with the template's arguments, like methods in Go.

        Raises:
            InvalidInput: The value has no such field, or a function rejects its arguments.
        """
        return "".join(_Run(data, self._absent).nodes(self._nodes, data))


class _Run:
    def __init__(self, data: Any, absent: frozenset[str]) -> None:
        self._absent = absent
        self._variables: list[dict[str, Any]] = [{"$": data}]

    def nodes(self, nodes: Iterable[Node], dot: Any) -> Iterator[str]:
        for node in nodes:
            match node:
                case Text():
                    yield node.text
                case Show():
                    value = self._set(node.pipe, dot)
                    if not node.pipe.names:
                        yield text(value)
                case TemplateBlock():
                    yield from self._block(node, dot)

    def _block(self, block: TemplateBlock, dot: Any) -> Iterator[str]:
        self._variables.append({})
        if block.kind == "range":
            yield from self._range(block, dot)
        else:
            value = self._set(block.pipe, dot)
            inside = value if block.kind == "with" and truth(value) else dot
            yield from self.nodes(block.body if truth(value) else block.otherwise, inside)
        self._variables.pop()

    def _range(self, block: TemplateBlock, dot: Any) -> Iterator[str]:
        pairs = _pairs(self._value(block.pipe, dot))
        if not pairs:
            yield from self.nodes(block.otherwise, dot)
        for key, value in pairs:
            match block.pipe.names:
                case (name,):
                    self._variables[-1][name] = value
                case (first, second):
                    self._variables[-1] |= {first: key, second: value}
            yield from self.nodes(block.body, value)

    def _set(self, pipe: Pipe, dot: Any) -> Any:
        value = self._value(pipe, dot)
        for name in pipe.names:
            scope = self._variables[-1]
            if not pipe.declares:
                scope = next((known for known in reversed(self._variables) if name in known), scope)
            scope[name] = value
        return value

    def _value(self, pipe: Pipe, dot: Any) -> Any:
        value: Any = None
        for index, (first, *arguments) in enumerate(pipe.commands):
            values = [self._term(term, dot) for term in arguments]
            value = self._call(first, [*values, value] if index else values, dot)
        return value

    def _call(self, term: Term, arguments: list[Any], dot: Any) -> Any:
        if isinstance(term, Function):
            try:
                return FUNCTIONS[term.name](*arguments)
            except PydError:
                raise
            except (TypeError, ValueError, AttributeError) as error:
                raise _wrong(
                    f"invalid arguments for {term.name}: {', '.join(map(text, arguments))[:80] or 'nothing'}"
                ) from error
        value = self._term(term, dot, called=bool(arguments))
        if callable(value):
            try:
                return value(*arguments)
            except (TypeError, ValueError, AttributeError) as error:
                raise _wrong("invalid arguments for a field") from error
        if arguments:
            raise _wrong(f"{text(value)[:40]!r} takes no arguments")
        return value

    def _term(self, term: Term, dot: Any, *, called: bool = False) -> Any:
        match term:
            case Literal():
                return term.value
            case Function():
                return self._call(term, [], dot)
            case Chain():
                value = self._start(term, dot)
                for name in term.names:
                    value = _field(value, name, self._absent)
                return value() if callable(value) and not called and _takes_nothing(value) else value

    def _start(self, chain: Chain, dot: Any) -> Any:
        match chain.start:
            case None:
                return dot
            case str():
                for scope in reversed(self._variables):
                    if chain.start in scope:
                        return scope[chain.start]
                raise _wrong(f"undefined variable {chain.start}")
            case Pipe():
                return self._value(chain.start, dot)


def _takes_nothing(value: Any) -> bool:
    code = getattr(value, "__code__", None)
    return code is None or code.co_argcount == len(value.__defaults__ or ())


def _field(value: Any, name: str, absent: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        if name in absent:
            return None
        near = [known for known in map(str, value) if known.lower() == name.lower()]
        hint = f"did you mean .{safe(near[0])}?" if near else f"there are: {safe(' '.join(map(str, list(value)[:40])))}"
        raise _wrong(f"no field .{name}", hint)
    raise _wrong(f"no field .{name} in {text(value)[:40]!r}")


def _pairs(value: Any) -> Sequence[tuple[Any, Any]]:
    match value:
        case None:
            return []
        case dict():
            return sorted(value.items())
        case list() | tuple():
            return list(enumerate(value))
        case int() if not isinstance(value, bool) and value <= MAX_RANGE:
            return [(number, number) for number in range(value)]
        case _:
            raise _wrong(f"range can't iterate over {text(value)[:40]!r}")


def _wrong(what: str, hint: str = "") -> InvalidInput:
    return InvalidInput(f"can't fill the template in: {safe(what)}", hint=hint, reference="bad-template")
