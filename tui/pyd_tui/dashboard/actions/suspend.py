"""Leaving the terminal to another program for a while: the debug shell, a shell of the container's own."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import PydError
from pyd_core.linux.interpreter import module_command
from pyd_tui.dashboard.engines.target import RowTarget

if TYPE_CHECKING:
    from textual.app import App

    from pyd_tui.dashboard.protocols import ActionHost

SHELLS = ("bash", "sh")
"""Shells looked for in a container, the one with more comfort first."""

OWN_FAILURES = frozenset({125, 126, 127})
"""Exit codes by which `pyd` says that it couldn't do what was asked; it has printed why."""


def command(endpoint: Endpoint | None, *verb: str) -> list[str]:
    """Returns the command line of a verb of `pyd` on the same engine."""
    chosen: list[str] = []
    if endpoint is not None:
        name, _, context = endpoint.origin.partition(" ")
        chosen = ["--context", context] if name == "context" and context else ["--host", endpoint.url]
        chosen += ["--read-only"] if endpoint.read_only else []
    return module_command("pyd_tui", *chosen, *verb)


async def run_outside(
    app: App[None],
    argv: Sequence[str],
    *,
    wait_on: frozenset[int] = frozenset(),
    env: Mapping[str, str] | None = None,
) -> int:
    """Runs a program on the terminal while the dashboard stands aside, and returns its exit code.

    The event loop goes on meanwhile: the engine's events are read as they come, only nothing is drawn. Signals from the
    keyboard are the program's business.

    Args:
        app: The dashboard.
        argv: The program.
        wait_on: Exit codes after which the user shall press a key first, to have read what the program said.
        env: Its environment; None is this process's own.
    """
    ignored = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)}
    with app.batch_update(), app.suspend():
        try:
            for number in ignored:  # a handler, since a child would inherit that they are ignored
                signal.signal(number, lambda *_: None)
            process = await asyncio.create_subprocess_exec(*argv, env=env)
            code = await process.wait()
            if code in wait_on:
                sys.stdout.write("\npress enter to go back to the dashboard ")
                sys.stdout.flush()
                await asyncio.to_thread(sys.stdin.readline)
        finally:
            for number, handler in ignored.items():
                signal.signal(number, handler)
    app.refresh(layout=True)
    return code


async def find_shell(engine: EngineClient, container: str) -> str | None:
    """Returns the first of `SHELLS` that a running container can start; None when it has none."""
    for shell in SHELLS:
        try:
            made = await engine.execs.create(container, [shell, "-c", ":"])
            connection = await engine.execs.start(made)
            try:
                while await connection.read():
                    pass
            finally:
                await connection.aclose()
            if (await engine.execs.inspect(made)).exit_code == 0:
                return shell
        except PydError:
            continue
    return None


async def enter_debug(dashboard: ActionHost, target: RowTarget) -> None:
    """Leaves the terminal to a debug shell in a container, and comes back."""
    if not dashboard.may_change(target.link):
        return
    code = await dashboard.run_in_terminal(command(target.link.endpoint, "debug", target.id), wait_on=OWN_FAILURES)
    dashboard.say(f"the debug shell ended with {code}", "good" if code == 0 else "warn")


async def enter_shell(dashboard: ActionHost, target: RowTarget) -> None:
    """Leaves the terminal to a container's own shell, if it has one."""
    entry = target.entry
    if entry is None or not dashboard.may_change(target.link):
        return
    if entry.state != "running":
        dashboard.say(f"{entry.name} is {entry.state}", "warn", "D opens a shell with tools in what is there")
        return
    shell = await find_shell(target.engine, target.id)
    if shell is None:
        dashboard.say(f"{entry.name} has no shell", "warn", "D opens one that brings its own tools")
        return
    code = await dashboard.run_in_terminal(command(target.link.endpoint, "exec", "-it", target.id, shell))
    dashboard.say(f"{shell} ended with {code}", "good" if code == 0 else "text")
