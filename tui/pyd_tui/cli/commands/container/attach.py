"""`pyd attach`: the standard streams of a container's main process."""

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
        ("pyd attach job", "attach; ctrl-p ctrl-q detaches from a container with a terminal"),
        ("pyd attach --no-stdin job", "show only its output"),
        ("pyd logs -f job", "include earlier output"),
    ),
)
@click.argument("name", type=ContainerName("running"), metavar="CONTAINER")
@click.option("--no-stdin", is_flag=True, help="Don't attach standard input.")
@click.option("--sig-proxy/--no-sig-proxy", default=True, help="Forward signals to the container.")
@click.option("--detach-keys", default="", metavar="KEYS", help="Key sequence for detaching, instead of ctrl-p,ctrl-q.")
@pass_state
def command(state: State, /, *, name: str, no_stdin: bool, sig_proxy: bool, detach_keys: str) -> int:
    """Attach standard input, output and error to a running container, and exit with its exit code."""
    try:
        return state.run(
            lambda engine: attach(engine, name, stdin=not no_stdin, sig_proxy=sig_proxy, detach_keys=detach_keys)
        )
    except Exception as error:  # noqa: BLE001 - a failure of pyd must not look like the command's
        failures.report(error)
        return failures.exit_code(error, before_command=True)


async def attach(engine: EngineClient, name: str, *, stdin: bool, sig_proxy: bool, detach_keys: str) -> int:
    """Attach to a container until it stops, and return its exit code.

    Raises:
        Conflict: It isn't running.
    """
    from pyd_core.client.names import resolve_container
    from pyd_tui.cli.containers.attach_relay import AttachRelay, report_detached
    from pyd_tui.console.terminal import window_size

    summary = await resolve_container(engine, name)
    container = await engine.containers.inspect(summary.id)
    if container.state.paused or not container.state.running:
        problem = "is paused" if container.state.paused else "isn't running"
        hint = f"pyd {'unpause' if container.state.paused else 'start'} {summary.name}"
        raise Conflict(f"{summary.name} {problem}", hint=hint, reference="not-running")
    interactive = stdin and container.config.open_stdin
    tty = container.config.tty
    async with engine.containers.waiting(summary.id, condition="not-running") as ended:
        duplex = await engine.containers.attach(summary.id, stdin=interactive)
        try:
            if tty and sys.stdout.isatty():
                columns, rows = window_size(sys.stdout.fileno())
                # a change of size makes a shell print its prompt again; the right size follows
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
        return report_detached() if left is None else (await ended()).status_code
