"""The terminal lent to another program: the debug shell, or the container's own shell."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.provider import Provider
from pyd_core.errors import PydError
from pyd_core.linux.interpreter import module_command
from pyd_tui.dashboard.engines.target import RowTarget

if TYPE_CHECKING:
    from textual.app import App

    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import ActionHost

SHELLS = ("bash", "sh")
"""The shells looked for in a container, the better one first."""

ANY_FAILURE = frozenset(range(1, 256))
OWN_FAILURES = frozenset({125, 126, 127})
"""Exit codes of failures of `pyd` itself, which has printed the error."""


def command(endpoint: Endpoint | None, *verb: str) -> list[str]:
    """Return the command line of a `pyd` command on the same engine."""
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
    """Run a program on the terminal while the dashboard is suspended, and return its exit code.

    The event loop continues: the engine's events are read, only nothing is drawn. Signals from the keyboard reach the
    program.

    Args:
        app: The dashboard.
        argv: The program.
        wait_on: Exit codes after which the user presses a key first, to have read the output.
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
                sys.stdout.write("\npress enter to return to the dashboard ")
                sys.stdout.flush()
                await asyncio.to_thread(sys.stdin.readline)
        finally:
            for number, handler in ignored.items():
                signal.signal(number, handler)
    app.refresh(layout=True)
    return code


async def find_shell(engine: Provider, container: str) -> str | None:
    """Return the first of `SHELLS` that a running container can start; None if it has none."""
    for shell in SHELLS:
        try:
            exec_id = await engine.execs.create(container, [shell, "-c", ":"])
            connection = await engine.execs.start(exec_id)
            try:
                while await connection.read():
                    pass
            finally:
                await connection.aclose()
            if (await engine.execs.inspect(exec_id)).exit_code == 0:
                return shell
        except PydError:
            continue
    return None


async def enter_debug(dashboard: ActionHost, target: RowTarget) -> None:
    """Open a debug shell in a container, and return to the dashboard."""
    if not dashboard.may_change(target.link):
        return
    code = await dashboard.run_in_terminal(command(target.link.endpoint, "debug", target.id), wait_on=OWN_FAILURES)
    dashboard.say("shell closed" if code == 0 else f"shell closed, exit code {code}", "good" if code == 0 else "warn")


async def debug_row(dashboard: ActionHost, link: EngineConnection, target: str | None, name: str) -> None:
    """Open a debug shell in a row's object, if it has a target for one, and return to the dashboard."""
    if target is None:
        dashboard.say(f"{name} has no failed step to enter", "warn")
        return
    if not dashboard.may_change(link):
        return
    code = await dashboard.run_in_terminal(command(link.endpoint, "debug", target), wait_on=ANY_FAILURE)
    dashboard.say("shell closed" if code == 0 else f"shell closed, exit code {code}", "good" if code == 0 else "warn")


async def enter_shell(dashboard: ActionHost, target: RowTarget) -> None:
    """Open a container's own shell, if it has one, and return to the dashboard."""
    entry = target.entry
    if entry is None or not dashboard.may_change(target.link):
        return
    if entry.state != "running":
        dashboard.say(f"{entry.name} is {entry.state}", "warn", "D opens a debug shell in its files")
        return
    shell = await find_shell(target.engine, target.id)
    if shell is None:
        dashboard.say(f"{entry.name} has no shell", "warn", "D opens a debug shell with its own tools")
        return
    code = await dashboard.run_in_terminal(command(target.link.endpoint, "exec", "-it", target.id, shell))
    dashboard.say("shell closed" if code == 0 else f"shell closed, exit code {code}", "good" if code == 0 else "text")
