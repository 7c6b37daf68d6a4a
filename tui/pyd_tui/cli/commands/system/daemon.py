"""`pyd daemon`: runs the embedded engine in the foreground, or has systemd run it."""

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
        ("pyd daemon", "the engine of this machine, on /run/pyd/pyd.sock"),
        ("sudo pyd daemon --install", "from now on, and at every boot, by systemd"),
        ("pyd daemon --root DIR --run DIR2", "one more beside it, with images and networks of its own"),
    ),
)
@click.option("--root", type=click.Path(path_type=Path), default=DEFAULT_ROOT, help="Images, containers, volumes.")
@click.option("--run", type=click.Path(path_type=Path), default=DEFAULT_RUN, help="Sockets and the runtime's state.")
@click.option("--socket", type=click.Path(path_type=Path), help="Where it listens; pyd.sock in --run.")
@click.option("--group", default="", help="Who may use the socket besides root; docker, else pyd.")
@click.option("--runtime", default="", help="The OCI runtime: crun, runc or a path.")
@click.option("--subnet", default="", help="IPv4 subnet of the default bridge.")
@click.option(
    "--settings",
    type=click.Path(path_type=Path),
    default=DEFAULT_SETTINGS,
    help="Mirrors, registries, TCP addresses: JSON with the keys of Docker's daemon.json.",
)
@click.option("--install", is_flag=True, help="Have systemd run the default engine, now and at every boot.")
@click.option("--uninstall", is_flag=True, help="Undo that; containers and images stay.")
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
    Containers go on when it stops, and it finds them again when it starts.
    """
    if install or uninstall:
        _change_service(install=install, uninstall=uninstall)
        return
    from pyd_core.daemon.__main__ import run as serve
    from pyd_core.embedded import record

    logging.basicConfig(level=logging.INFO, format="pydd: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request
    config = DaemonConfig(
        root=root, run=run, socket=socket, group=group, runtime=runtime, subnet=subnet, settings=settings
    )
    sys.exit(serve(config, sidecar=record))


def _change_service(*, install: bool, uninstall: bool) -> None:
    from pyd_core.daemon import service

    if install and uninstall:
        raise click.UsageError("--install and --uninstall contradict each other")
    if uninstall:
        service.uninstall()
        click.echo("The engine's units are removed; what it keeps stays.")
        return
    group = service.install()
    click.echo(f"The engine runs, now and at every boot. Besides root, members of the group {group} may use it.")
