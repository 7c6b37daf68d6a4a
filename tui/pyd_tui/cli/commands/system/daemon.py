"""`pyd daemon`: the embedded engine, in the foreground or as a systemd service."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from pyd_core.daemon.config import DEFAULT_ROOT, DEFAULT_RUN, DaemonConfig
from pyd_core.daemon.settings import DEFAULT_SETTINGS
from pyd_tui.console.command import PydCommand


@click.command(
    "daemon",
    cls=PydCommand,
    examples=(
        ("pyd daemon", "run the engine of this machine, on /run/pyd/pyd.sock"),
        ("sudo pyd daemon --install", "run it now and at every boot, by systemd"),
        ("pyd daemon --root DIR --run DIR2", "run a second engine with its own images and networks"),
    ),
)
@click.option(
    "--root", type=click.Path(path_type=Path), default=DEFAULT_ROOT, help="Directory of images, containers and volumes."
)
@click.option(
    "--run", type=click.Path(path_type=Path), default=DEFAULT_RUN, help="Directory of sockets and runtime state."
)
@click.option("--socket", type=click.Path(path_type=Path), help="Socket to listen on; by default, pyd.sock in --run.")
@click.option("--group", default="", help="Group that may use the socket; by default docker, else pyd.")
@click.option("--runtime", default="", help="OCI runtime: crun, runc or a path.")
@click.option("--subnet", default="", help="IPv4 subnet of the default bridge.")
@click.option(
    "--settings",
    type=click.Path(path_type=Path),
    default=DEFAULT_SETTINGS,
    help="Mirrors, registries, TCP addresses: JSON with the keys of Docker's daemon.json.",
)
@click.option("--install", is_flag=True, help="Install the default engine as a systemd service and start it.")
@click.option("--uninstall", is_flag=True, help="Remove the systemd service; containers and images stay.")
def command(
    *,
    root: Path,
    run: Path,
    socket: Path | None,
    group: str,
    runtime: str,
    subnet: str,
    settings: Path,
    install: bool,
    uninstall: bool,
) -> None:
    """Run the embedded container engine until it is stopped.

    It serves the Docker Engine API, so the docker CLI and Compose work against it: DOCKER_HOST=unix:///run/pyd/pyd.sock.
    Containers continue to run when it stops, and it finds them again when it starts.
    """
    if install or uninstall:
        _change_service(install=install, uninstall=uninstall)
        return
    from pyd_core.daemon.__main__ import run as serve
    from pyd_core.embedded import record

    logging.basicConfig(level=logging.INFO, format="pydd: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request
    config = DaemonConfig(
        root=root, run=run, socket=socket, group=group, runtime=runtime, subnet=subnet, settings=settings
    )
    sys.exit(serve(config, sidecar=record))


def _change_service(*, install: bool, uninstall: bool) -> None:
    from pyd_core.daemon import service

    if install and uninstall:
        raise click.UsageError("--install and --uninstall can't be combined")
    if uninstall:
        service.uninstall()
        click.echo("The engine's systemd units are removed; its data stays.")
        return
    group = service.install()
    click.echo(f"The engine runs now and at every boot. Root and members of the group {group} may use it.")
