"""What a builtin of the debug shell is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pyd_core.debug.access import Access

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine


@dataclass(kw_only=True, slots=True)
class ShellContext:
    """One call of a builtin.

    Attributes:
        access: The target.
        engine: Returns a client of the engine whose coroutines `run_now` drives; raises where there is none, for
            example in a session on `pid:N`.
        name: The target's name, safe to show.
        cwd: The shell's folder in the target.
        identity: Who the shell is: `root`, `target` or `UID[:GID]`.
        send: Gives the persistent shell a line to run after the builtin, for example after `su`.
        json: Whether `--json` was given.
    """

    access: Access
    engine: Callable[[], Engine]
    name: str
    cwd: str = "/"
    identity: str = "root"
    send: Callable[[str], None] = lambda _line: None
    json: bool = False


pass_shell = click.make_pass_decorator(ShellContext)
