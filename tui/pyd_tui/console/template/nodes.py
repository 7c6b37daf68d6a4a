"""What a template is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out."""

    value: Any


@dataclass(frozen=True, slots=True)
class Chain:
    """A way into data: `.A.B`, `$x.A`, `(…).A`.

    Attributes:
        start: A variable's name (`$`, `$x`), another expression, or None for dot.
        names: The fields, from the outside in.
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
    """Commands, each a term and its arguments; the value of each is the last argument of the next.

    Attributes:
        commands: At least one.
        names: Variables that take the value.
        declares: They are new ones (`:=`).
    """

    commands: tuple[tuple[Term, ...], ...]
    names: tuple[str, ...] = ()
    declares: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """Printed as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Show:
    """Prints a value."""

    pipe: Pipe


@dataclass(slots=True)
class TemplateBlock:
    """`if`, `with` and `range`, with what is done otherwise."""

    kind: str
    pipe: Pipe
    body: list[Node] = field(default_factory=list)
    otherwise: list[Node] = field(default_factory=list)


Node = Text | Show | TemplateBlock
