"""`pyd daemon`: runs the embedded engine in the foreground."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from pyd_core.daemon.config import DEFAULT_ROOT, DEFAULT_RUN, DaemonConfig
from pyd_tui.cli.verb import Verb


@click.command(
    "daemon",
    cls=Verb,
    examples=(
        ("pyd daemon", "the engine of this machine, on /run/pyd/pyd.sock"),
        ("pyd daemon --root DIR --run DIR2", "one more beside it, with images and networks of its own"),
    ),
)
@click.option("--root", type=click.Path(path_type=Path), default=DEFAULT_ROOT, help="Images, containers, volumes.")
@click.option("--run", type=click.Path(path_type=Path), default=DEFAULT_RUN, help="Sockets and the runtime's state.")
@click.option("--socket", type=click.Path(path_type=Path), help="Where it listens; pyd.sock in --run.")
@click.option("--group", default="docker", help="Who may use the socket besides root.")
@click.option("--runtime", default="", help="The OCI runtime: crun, runc or a path.")
@click.option("--subnet", default="", help="IPv4 subnet of the default bridge.")
def command(*, root: Path, run: Path, socket: Path | None, group: str, runtime: str, subnet: str) -> None:
    """Run the embedded container engine until it is stopped.

    It serves the Docker Engine API, so the docker CLI and Compose work against it: DOCKER_HOST=unix:///run/pyd/pyd.sock.
    Containers go on when it stops, and it finds them again when it starts.
    """
    from pyd_core.daemon.__main__ import run as serve  # noqa: PLC0415 - the engine's parts load when it runs

    logging.basicConfig(level=logging.INFO, format="pydd: %(message)s")
    settings = DaemonConfig(root=root, run=run, socket=socket, group=group, runtime=runtime, subnet=subnet)
    sys.exit(serve(settings))
