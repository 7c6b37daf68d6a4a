"""All builtins of the debug shell: one line each, so that help and completion need none of their modules."""

from __future__ import annotations

import msgspec


class Builtin(msgspec.Struct, frozen=True):
    """A builtin.

    Attributes:
        module: Where its `command` is, a `click.Command` made with `cls=BuiltinCommand` and `@pass_shell`.
        summary: One line of help.
    """

    module: str
    summary: str


BUILTINS: dict[str, Builtin] = {}
