"""What a builtin of the debug shell is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from pyd_core.debug.access import Access
from pyd_core.errors import Unsupported

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient


class InteractiveShell(Protocol):
    """The interactive shell around a builtin."""

    @property
    def path(self) -> str:
        """The `PATH` of its bash."""
        ...

    @property
    def functions(self) -> Sequence[str]:
        """The functions and aliases of its bash."""
        ...

    @property
    def tools(self) -> Collection[str]:
        """The names of the toolbox's programs."""
        ...

    def switch(self, identity: str) -> None:
        """Have a bash of another user follow, in this one's place until it ends.

        Raises:
            InvalidInput: No such identity.
        """
        ...

    def record(self, path: Path | None) -> Path | None:
        """Begin a recording, or end it when there is no path; return the file of the one that ends."""
        ...

    def detach(self) -> None:
        """Leave the session to itself.

        Raises:
            Unsupported: It would end with this process.
        """
        ...


@dataclass(kw_only=True, slots=True)
class ShellContext:
    """One call of a builtin.

    Attributes:
        access: The target.
        engine: Returns a client of the engine whose coroutines `run_now` drives; raises where there is none, for
            example in a session on `pid:N`.
        name: The target's name, safe to show.
        cwd: The shell's folder in the target.
        identity: Who the shell is: `root`, `tracer`, `target` or `UID[:GID]`.
        send: Gives the persistent shell a line to run after the builtin, for example after `su`.
        json: Whether `--json` was given.
        desk: The interactive shell that the builtin was called in; None outside of one.
        model: The id of the container that the target is a clone of: what the engine is asked about then.
    """

    access: Access
    engine: Callable[[], EngineClient]
    name: str
    cwd: str = "/"
    identity: str = "root"
    send: Callable[[str], None] = lambda _line: None
    json: bool = False
    desk: InteractiveShell | None = None
    model: str = ""

    def interactive(self) -> InteractiveShell:
        """Return the interactive shell.

        Raises:
            Unsupported: There is none.
        """
        if self.desk is None:
            raise Unsupported("that is for the interactive shell", hint="open one: pyd debug NAME")
        return self.desk


pass_shell = click.make_pass_decorator(ShellContext)
