"""`pcap`: capture the target's network traffic."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import BinaryIO

import click

from pyd_core.debug.access import AccessProcess
from pyd_core.debug.inspectors.tools import lines_of, merged, timed, tool
from pyd_core.errors import Conflict, PydError, Refused
from pyd_core.humanize import size
from pyd_core.sanitise import safe
from pyd_tui.console.output import write, write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

_PACKET = re.compile(r"\d\d:\d\d:\d\d\.")
HEADER_BYTES = 24
"""Bytes before the first packet (pcap-savefile(5))."""


@click.command(
    "pcap",
    cls=BuiltinCommand,
    examples=(
        ("pcap", "one line per packet, until ctrl-c"),
        ("pcap -w web.pcap port 80", "into a file on this machine, for Wireshark"),
        ("pcap -w - port 53 --seconds 10 | tshark -r -", "into another program"),
    ),
)
@click.argument("filter_words", nargs=-1, metavar="[FILTER]...")
@click.option(
    "-w",
    "file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Write packets to a file on this machine; - is stdout.",
)
@click.option("-c", "count", type=click.IntRange(min=1), metavar="N", help="Stop after N packets.")
@click.option("-i", "interface", default="any", show_default=True, help="The interface.")
@click.option("--seconds", type=float, metavar="N", help="Stop after N seconds.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@pass_shell
def command(
    shell: ShellContext,
    /,
    *,
    filter_words: tuple[str, ...],
    file: str | None,
    count: int | None,
    interface: str,
    seconds: float | None,
    force: bool,
) -> None:
    """Capture the target's traffic, without that of other containers."""
    if shell.access.container.host_config.network_mode == "host":
        click.echo(f"pyd: {shell.name} has the host's network: this captures the machine's traffic", err=True)
    argv = [tool("tcpdump"), "-p", "-i", interface, *(("-c", str(count)) if count else ())]
    if file is None:
        process = shell.access.start(merged(timed([*argv, "-n", "-l", "-q", *filter_words], seconds)))
        _show(process)
        return
    argv = timed([*argv, "-U", "-w", "-", *filter_words], seconds)
    if file == "-":
        _save(shell.access.start(argv), sys.stdout.buffer)
        return
    with _sink(Path(file), force=force) as out:
        total = _save(shell.access.start(argv), out)
    if shell.json:
        write_json({"file": file, "bytes": total})
    else:
        click.echo(f"pyd: {size(total)} in {safe(file)}", err=True)


def _sink(path: Path, *, force: bool) -> BinaryIO:
    try:
        return path.open("wb" if force else "xb")
    except FileExistsError as error:
        raise Conflict(f"{path} exists", hint="name another, or --force", reference="file-exists") from error
    except OSError as error:
        raise Refused(f"{path} can't be written: {error.strerror}") from error


def _show(process: AccessProcess) -> None:
    process.close_input()
    try:
        for line in lines_of(process):
            _raise_if_error(line)
            if _PACKET.match(line):  # other lines are tcpdump's own messages
                write(safe(line.rstrip("\n")) + "\n")
                sys.stdout.flush()
        process.finish()
    except KeyboardInterrupt:
        process.end()
    except BaseException:
        process.end()
        raise


def _save(process: AccessProcess, out: BinaryIO) -> int:
    """Write packets as they arrive; return the number of bytes."""
    total = 0
    process.close_input()
    try:
        while data := process.read():
            out.write(data)
            total += len(data)
            out.flush()
        done = process.finish()
    except KeyboardInterrupt:
        process.end()
        return total
    except BaseException:
        process.end()
        raise
    if total < HEADER_BYTES:
        raise _failure(done.stderr.decode(errors="replace"))
    return total


def _raise_if_error(line: str) -> None:
    if line.startswith("tcpdump: ") and not line.startswith(
        ("tcpdump: verbose", "tcpdump: data link", "tcpdump: WARNING")
    ):
        raise _failure(line)


def _failure(text: str) -> PydError:
    refused = "permi" in text  # tcpdump's "You don't have permission", or the kernel's words
    hint = "root captures in the host's network with: pyd debug --cap-add NET_RAW" if refused else ""
    return PydError(_error_line(text), hint=hint, reference="capture-failed")


def _error_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("tcpdump: ")]
    return lines[-1] if lines else f"tcpdump ended: {text.strip()[:200]}"
