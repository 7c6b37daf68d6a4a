"""`pyd update`."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from pyd_core.client.engine_client import EngineClient
from pyd_core.cliparse.limits import parse_cpus, parse_restart
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.model.host_config import UpdateBody
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "update",
    cls=PydCommand,
    examples=(
        ("pyd update --memory 1g --memory-swap 2g web", "raise the memory limit"),
        ("pyd update --cpus 0.5 a b", "limit the CPU of two containers"),
        ("pyd update --restart unless-stopped web", "change the restart policy"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName(), metavar="CONTAINER...")
@click.option("-m", "--memory", default="", metavar="BYTES", help="Memory limit, such as 512m.")
@click.option("--memory-swap", default="", metavar="BYTES", help="Limit of memory plus swap; -1 is unlimited.")
@click.option("--memory-reservation", default="", metavar="BYTES", help="Memory soft limit.")
@click.option("--cpus", default="", metavar="NUMBER", help="Number of CPUs, such as 1.5.")
@click.option("-c", "--cpu-shares", type=int, default=0, metavar="N", help="CPU shares (relative weight).")
@click.option("--cpu-period", type=int, default=0, metavar="N", help="CPU scheduler period, in microseconds.")
@click.option("--cpu-quota", type=int, default=0, metavar="N", help="CPU time per period, in microseconds.")
@click.option("--cpu-rt-period", type=int, default=0, metavar="N", help="Real-time scheduler period, in microseconds.")
@click.option(
    "--cpu-rt-runtime", type=int, default=0, metavar="N", help="Real-time CPU time per period, in microseconds."
)
@click.option("--cpuset-cpus", default="", metavar="LIST", help="CPUs to run on: 0-3, 0,1.")
@click.option("--cpuset-mems", default="", metavar="LIST", help="Memory nodes to use.")
@click.option("--blkio-weight", type=int, default=0, metavar="N", help="Block I/O weight, 10 to 1000.")
@click.option("--pids-limit", type=int, metavar="N", help="Limit of processes; -1 is unlimited.")
@click.option(
    "--restart", default="", metavar="POLICY", help="Restart policy: no, on-failure[:N], always or unless-stopped."
)
@click.option("--kernel-memory", expose_value=False, hidden=True, help="No effect: kernels no longer support it.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], **values: Any) -> int:
    """Update the limits and restart policy of one or more containers, running or stopped."""
    body = update_body(UpdateOptions(**values))
    warnings: list[str] = []

    async def update(engine: EngineClient, name: str) -> None:
        warnings.extend(await engine.containers.update(name, body))

    code = run_on_each(state, names, update)
    sys.stderr.write("".join(f"warning: {safe(warning)}\n" for warning in warnings))
    return code


class UpdateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The limits and the restart policy to change; empty ones stay as they are."""

    memory: str = ""
    memory_swap: str = ""
    memory_reservation: str = ""
    cpus: str = ""
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_rt_period: int = 0
    cpu_rt_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    blkio_weight: int = 0
    pids_limit: int | None = None
    restart: str = ""


def update_body(options: UpdateOptions) -> UpdateBody:
    """Return the body of `POST /containers/{id}/update`.

    Raises:
        InvalidInput: An option is malformed, or none is given.
    """
    if not any(value not in {"", 0, None} for value in msgspec.structs.astuple(options)):
        raise InvalidInput("no option to update is given", hint="pyd update --help")

    return UpdateBody(
        memory=_size(options.memory),
        memory_swap=_size(options.memory_swap, unlimited=True),
        memory_reservation=_size(options.memory_reservation),
        nano_cpus=parse_cpus(options.cpus) if options.cpus else 0,
        cpu_shares=options.cpu_shares,
        cpu_period=options.cpu_period,
        cpu_quota=options.cpu_quota,
        cpu_realtime_period=options.cpu_rt_period,
        cpu_realtime_runtime=options.cpu_rt_runtime,
        cpuset_cpus=options.cpuset_cpus,
        cpuset_mems=options.cpuset_mems,
        blkio_weight=options.blkio_weight,
        pids_limit=options.pids_limit,
        restart_policy=parse_restart(options.restart) if options.restart else None,
    )


def _size(text: str, *, unlimited: bool = False) -> int:
    return parse_size(text, unlimited=unlimited) if text else 0
