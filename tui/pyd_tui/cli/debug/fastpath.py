"""Command lines of `pyd debug` that are read without click, which takes a quarter of a short session's time to load.

They are the most common ones: a name, and a command to run in it. Any other command line, and any that might be
mistaken, is left to click (`commands/debug/debug.py`), which reads these to the same effect.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would cost more than the reading
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyd_core.debug.options import DebugOptions

BUILD_PREFIX = "build:"
"""Names a build by its reference; without one, the last that failed."""
SUBCOMMANDS = frozenset({"ls", "attach", "end", "doctor"})
"""Words that name a subcommand rather than a container; `container:doctor` is a container named doctor."""
_FLAGS = {"--rw": "writable", "--explain": "explain", "--hold": "hold"}
_VALUES = {"-c": "line", "--command": "line", "--as": "identity", "--path": "path"}


_PATHS = ("tools", "container")


class FastOptions:
    """The options that a fast-path command line can give, with the defaults of `DebugOptions`."""

    __slots__ = ("command", "explain", "hold", "identity", "line", "path", "target", "writable")

    def __init__(self) -> None:
        self.target = ""
        self.line: str | None = None
        self.command: tuple[str, ...] = ()
        self.identity = "root"
        self.path = os.environ.get("PYD_DEBUG_PATH") or "tools"
        self.writable = False
        self.explain = False
        self.hold = False

    def debug_options(self) -> DebugOptions:
        """Return the options of the session.

        Raises:
            InvalidInput: They contradict each other.
        """
        from pyd_core.debug.options import DebugOptions

        return DebugOptions(
            target=self.target,
            line=self.line,
            command=self.command,
            identity=self.identity,
            path=self.path,
            writable=self.writable,
            explain=self.explain,
            hold=self.hold,
        )


def read(arguments: Sequence[str]) -> FastOptions | None:
    """Read a command line; return None where it takes click.

    Args:
        arguments: The arguments after `pyd debug`.
    """
    options = FastOptions()
    words = iter(arguments)
    for word in words:
        if word == "--":
            options.command = tuple(words)
        elif word in _FLAGS:
            setattr(options, _FLAGS[word], True)
        elif word in _VALUES:
            value = next(words, None)
            if value is None:
                return None
            setattr(options, _VALUES[word], value)
        elif not word or word.startswith(("-", BUILD_PREFIX)) or word in SUBCOMMANDS or "/" in word or options.target:
            return None
        else:
            options.target = word
    return options if options.target and options.path in _PATHS else None
