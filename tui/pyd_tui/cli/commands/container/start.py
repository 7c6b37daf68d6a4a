"""`pyd start`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyd_core.errors import Conflict, InvalidInput
from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console import failures
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient


@click.command(
    "start",
    cls=PydCommand,
    examples=(
        ("pyd start web", "start a container"),
        ("pyd start web db", "start several containers"),
        ("pyd start -a -i job", "start and attach to a container until it stops"),
    ),
)
@click.argument(
    "names", nargs=-1, required=True, type=ContainerName("created", "exited", "dead"), metavar="CONTAINER..."
)
@click.option("-a", "--attach", is_flag=True, help="Attach standard output and error, and exit with its exit code.")
@click.option("-i", "--interactive", is_flag=True, help="Attach standard input too.")
@click.option("--sig-proxy/--no-sig-proxy", default=True, help="Forward signals to the container.", show_default=False)
@click.option("--detach-keys", default="", metavar="KEYS", help="Key sequence for detaching, instead of ctrl-p,ctrl-q.")
@pass_state
def command(
    state: State, /, *, names: tuple[str, ...], attach: bool, interactive: bool, sig_proxy: bool, detach_keys: str
) -> int:
    """Start one or more containers."""
    if not (attach or interactive):
        return run_on_each(
            state, names, lambda engine, name: engine.containers.start(name, detach_keys=detach_keys or None)
        )
    try:
        first, *others = names
        if others:
            raise InvalidInput("only one container can be started and attached to at a time")  # noqa: TRY301 - as all
        return state.run(
            lambda engine: _start_attached(
                engine, first, interactive=interactive, sig_proxy=sig_proxy, detach_keys=detach_keys
            )
        )
    except Exception as error:  # noqa: BLE001 - a failure of pyd must not look like the command's
        failures.report(error)
        return failures.exit_code(error, before_command=True)


async def _start_attached(
    engine: EngineClient, name: str, *, interactive: bool, sig_proxy: bool, detach_keys: str
) -> int:
    from pyd_core.client.names import resolve_container
    from pyd_tui.cli.containers.launch import AttachOptions, attach_and_start

    container = await engine.containers.inspect((await resolve_container(engine, name)).id)
    if container.state.running:
        raise Conflict(f"{name} is already running", hint=f"pyd attach {name}", reference="already-running")
    streams = {"stdout", "stderr"} | ({"stdin"} if interactive and container.config.open_stdin else set())
    options = AttachOptions(
        container_id=container.id,
        tty=container.config.tty,
        streams=frozenset(streams),
        auto_remove=container.host_config.auto_remove,
        detach_keys=detach_keys,
        sig_proxy=sig_proxy,
    )
    return await attach_and_start(engine, options)
