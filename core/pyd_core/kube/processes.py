"""Processes that a container sees."""

from __future__ import annotations

from pyd_core.errors import Unsupported
from pyd_core.kube.channels import run_command
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.container_view import PodMember
from pyd_core.model.container import Processes

MAX_OUTPUT_BYTES = 4 * 2**20
MAX_PROCESSES = 20_000

_FROM_PROC = r"""for p in /proc/[0-9]*; do
{ read -r s < $p/stat; c=$(tr '\0' ' ' < $p/cmdline); printf '%s\t%s\n' "$s" "$c"; } 2>/dev/null; done"""


async def list_processes(api: ClusterApi, member: PodMember, ps_args: str | None = None) -> Processes:
    """Return the processes of a container by its own `ps`, else by its shell from /proc.

    Raises:
        Unsupported: It has neither.
    """
    command = ["ps", *((ps_args or "-ef").split())]
    code, output, _, _ = await run_command(api, member, command, max_output_bytes=MAX_OUTPUT_BYTES)
    lines = output.decode(errors="replace").splitlines()
    if code == 0 and len(lines) > 1:
        return parse_ps(lines)
    code, output, _, _ = await run_command(api, member, ["sh", "-c", _FROM_PROC], max_output_bytes=MAX_OUTPUT_BYTES)
    if code is None or not output:
        name = member.name
        raise Unsupported(
            f"{name} has neither ps nor a shell",
            hint=f"pyd debug pod/{name} brings them",
            reference="no-ps",
        )
    rows = [row for line in output.decode(errors="replace").splitlines()[:MAX_PROCESSES] if (row := _parse_stat(line))]
    return Processes(titles=["PID", "PPID", "STATE", "CMD"], processes=sorted(rows, key=lambda row: int(row[0])))


def parse_ps(lines: list[str]) -> Processes:
    """Return the table that a `ps` printed; its last column may contain spaces."""
    titles = lines[0].split()
    width = len(titles)
    rows = [line.split(None, width - 1) for line in lines[1 : MAX_PROCESSES + 1] if line.strip()]
    return Processes(titles=titles, processes=[row + [""] * (width - len(row)) for row in rows])


def _parse_stat(line: str) -> list[str] | None:
    """Return a row from a line of /proc/PID/stat and its command line; a program's name may contain anything."""
    stat, _, command = line.rpartition("\t")
    head, _, rest = stat.rpartition(")")
    pid, _, name = head.partition(" (")
    fields = rest.split()
    if not pid.isdecimal() or len(fields) < 2 or not fields[1].isdecimal():
        return None
    return [pid, fields[1], fields[0], command.strip() or f"[{name}]"]
