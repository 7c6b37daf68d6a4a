"""`pyd attach`: take part in what a container's main process reads and prints."""

from __future__ import annotations

import sys

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import Conflict
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console import failures
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "attach",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd attach job", "its output, our input; ctrl-p ctrl-q lets go of one with a terminal"),
        ("pyd attach --no-stdin job", "only look"),
        ("pyd logs -f job", "with what it printed before"),
    ),
)
@click.argument("name", type=ContainerName("running"), metavar="CONTAINER")
@click.option("--no-stdin", is_flag=True, help="Don't pass standard input on.")
@click.option("--sig-proxy/--no-sig-proxy", default=True, help="Pass signals on to it.")
@click.option("--detach-keys", default="", metavar="KEYS", help="Instead of ctrl-p,ctrl-q.")
@pass_state
def command(state: State, /, *, name: str, no_stdin: bool, sig_proxy: bool, detach_keys: str) -> int:
    """Take part in what a container's main process reads and prints, and end with its exit code."""
    try:
        return state.run(
            lambda engine: attach(engine, name, stdin=not no_stdin, sig_proxy=sig_proxy, detach_keys=detach_keys)
        )
    except Exception as error:  # noqa: BLE001 - every failure of pyd's own must not look like the command's
        failures.report(error)
        return failures.exit_code(error, before_command=True)


async def attach(engine: EngineClient, name: str, *, stdin: bool, sig_proxy: bool, detach_keys: str) -> int:
    """Takes part until it ends, and returns its exit code.

    Raises:
        Conflict: It doesn't run.
    """
    from pyd_core.client.names import resolve_container
    from pyd_tui.cli.containers.attach_relay import AttachRelay, report_left_running
    from pyd_tui.console.terminal import window_size

    summary = await resolve_container(engine, name)
    container = await engine.containers.inspect(summary.id)
    if container.state.paused or not container.state.running:
        doing = "is paused" if container.state.paused else "doesn't run"
        hint = f"pyd {'unpause' if container.state.paused else 'start'} {summary.name}"
        raise Conflict(f"{summary.name} {doing}", hint=hint, reference="not-running")
    interactive = stdin and container.config.open_stdin
    tty = container.config.tty
    async with engine.containers.waiting(summary.id, condition="not-running") as ended:
        duplex = await engine.containers.attach(summary.id, stdin=interactive)
        try:
            if tty and sys.stdout.isatty():
                columns, rows = window_size(sys.stdout.fileno())
                # a size that changes is what has a shell print its prompt again; the right one follows
                await engine.containers.resize(summary.id, rows=rows + 1, columns=columns + 1)
            left = await AttachRelay(
                tty=tty,
                interactive=interactive,
                detach_keys=detach_keys,
                resize=lambda rows, columns: engine.containers.resize(summary.id, rows=rows, columns=columns),
                forward=(lambda signal: engine.containers.kill(summary.id, signal=signal))
                if sig_proxy and not tty
                else None,
            ).run(duplex)
        finally:
            await duplex.aclose()
        return report_left_running() if left is None else (await ended()).status_code
