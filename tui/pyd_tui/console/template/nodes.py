"""Syntax nodes of templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Chain:
    """A path into data: `.A.B`, `$x.A`, `(…).A`.

    Attributes:
        start: A variable's name (`$`, `$x`), another expression, or None for dot.
        names: The fields, outermost first.
    """

    start: str | Pipe | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function, called or named as an argument."""

    name: str


Term = Literal | Chain | Function


@dataclass(frozen=True, slots=True)
class Pipe:
    """A pipeline of commands, each a term and its arguments; a command's value is the next one's last argument.

    Attributes:
        commands: The commands, at least one.
        names: The variables that the value is assigned to.
        declares: The variables are new (`:=`).
    """

    commands: tuple[tuple[Term, ...], ...]
    names: tuple[str, ...] = ()
    declares: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text."""

    text: str


@dataclass(frozen=True, slots=True)
class Show:
    """An action that prints a value."""

    pipe: Pipe


@dataclass(slots=True)
class TemplateBlock:
    """An `if`, `with` or `range` block with its `else` branch."""

    kind: str
    pipe: Pipe
    body: list[Node] = field(default_factory=list)
    otherwise: list[Node] = field(default_factory=list)


Node = Text | Show | TemplateBlock
