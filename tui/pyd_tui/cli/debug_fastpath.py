"""Command lines of `pyd debug` that are read without click, whose loading takes a quarter of a short session's time.

They are those that are typed most: a name, and what to run in it. Whatever else there is, and all that might be a
mistake, is left to the command line as a whole (`cli.debug`), which reads these the same way and has the last word.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would cost more than the reading
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

WORDS = {
    "ls": "pyd_tui.cli.commands.debug.sessions:show",
    "attach": "pyd_tui.cli.commands.debug.sessions:attach",
    "end": "pyd_tui.cli.commands.debug.sessions:end",
    "doctor": "pyd_tui.cli.commands.debug.doctor:command",
}
"""Words that are no container here, and the verbs that they are; `container:doctor` is a container called so."""
_SWITCHES = {"--rw": "writable", "--explain": "explain", "--hold": "hold"}
_VALUES = {"-c": "line", "--command": "line", "--as": "identity"}


def read(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Returns what `DebugOptions` are made of; None where the command line isn't plain.

    Args:
        arguments: What comes after `pyd debug`.
    """
    given: dict[str, Any] = {}
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            given["command"] = tuple(rest)
        elif word in _SWITCHES:
            given[_SWITCHES[word]] = True
        elif word in _VALUES:
            value = next(rest, None)
            if value is None:
                return None
            given[_VALUES[word]] = value
        elif not word or word.startswith("-") or word in WORDS or "target" in given:
            return None
        else:
            given["target"] = word
    return given if "target" in given else None
