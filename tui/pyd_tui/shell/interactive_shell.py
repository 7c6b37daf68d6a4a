"""The context of a builtin's call, and the interactive shell around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from pyd_core.debug.access import Access
from pyd_core.errors import Unsupported

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider


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

    def tools_in(self, directory: str) -> Collection[str]:
        """Return the names of the programs in a directory of the toolbox."""
        ...

    def forget_tools(self) -> None:
        """Read the toolbox's programs again when they are needed."""
        ...

    def switch(self, identity: str) -> None:
        """Open a bash of another user on top of this one, until it ends.

        Raises:
            InvalidInput: No such identity.
        """
        ...

    def confirm(self, question: str) -> bool:
        """Ask the user a question, and return whether the answer is yes."""
        ...

    def record(self, path: Path | None) -> Path | None:
        """Start a recording, or stop it if `path` is None; return the file of the one that ended."""
        ...

    def detach(self) -> None:
        """Detach from the session.

        Raises:
            Unsupported: The session would end with this process.
        """
        ...


@dataclass(kw_only=True, slots=True)
class ShellContext:
    """The context of a builtin's call.

    Attributes:
        access: The target.
        engine: Returns a client of the provider; `run_now` drives the coroutines of an engine's. Raises where there is
            none, for example in a session on `pid:N`.
        name: The target's name, safe to show.
        cwd: The shell's working directory in the target.
        identity: The shell's user: `root`, `tracer`, `target` or `UID[:GID]`.
        send: Queues a line for the persistent shell to run after the builtin.
        json: Whether `--json` was given.
        interactive_shell: The interactive shell of the call; None outside of one.
        model: The id of the container that the target is a clone of, for requests to the engine.
    """

    access: Access
    engine: Callable[[], Provider]
    name: str
    cwd: str = "/"
    identity: str = "root"
    send: Callable[[str], None] = lambda _line: None
    json: bool = False
    interactive_shell: InteractiveShell | None = None
    model: str = ""

    def interactive(self) -> InteractiveShell:
        """Return the interactive shell.

        Raises:
            Unsupported: The builtin wasn't called in one.
        """
        if self.interactive_shell is None:
            raise Unsupported("that is for the interactive shell", hint="open one: pyd debug NAME")
        return self.interactive_shell


pass_shell = click.make_pass_decorator(ShellContext)
