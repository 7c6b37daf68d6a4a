"""`get`: copy files out of the target."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tarfile
from pathlib import Path
from typing import IO, cast

import click

from pyd_core.debug.access import Access, AccessProcess
from pyd_core.debug.inspectors.files import absolute, kind_of
from pyd_core.debug.inspectors.tools import tool
from pyd_core.errors import Conflict, InvalidInput, PydError, Refused
from pyd_core.files.extraction import data_filter
from pyd_core.humanize import size
from pyd_core.sanitise import safe
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.paths import TargetPath
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

CHUNK_BYTES = 1 << 22


@click.command(
    "get",
    cls=BuiltinCommand,
    examples=(
        ("get /etc/nginx/nginx.conf", "into this machine's current directory"),
        ("get /var/log ./logs", "a directory with its contents"),
    ),
)
@click.argument("source", type=TargetPath(), metavar="PATH")
@click.argument("target", type=click.Path(path_type=Path), required=False, default=Path(), metavar="[TARGET]")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@pass_shell
def command(shell: ShellContext, /, *, source: str, target: Path, force: bool) -> None:
    """Copy a file or directory of the target to this machine; nothing is ever written outside of TARGET."""
    target_path = absolute(source, shell.cwd)
    entry = shell.access.stat(target_path)
    if target.is_dir():
        name = safe(Path(os.path.normpath(target_path)).name)
        target /= name if name not in ("", ".", "..") else "root"
    if kind_of(entry) == "directory":
        total = get_directory(shell.access, target_path, target)
    elif kind_of(entry) == "file":
        total = get_file(shell.access, target_path, target, mode=stat.S_IMODE(entry.mode) & 0o777, force=force)
    else:
        raise InvalidInput(f"{safe(target_path)} is a {kind_of(entry)}", reference="not-a-file")
    if shell.json:
        write_json({"path": str(target), "bytes": total})
    else:
        click.echo(f"pyd: {size(total)} to {safe(str(target))}", err=True)


def get_file(access: Access, where: str, target: Path, *, mode: int, force: bool) -> int:
    """Copy a file atomically; return its size.

    Raises:
        Conflict: The file exists, and `force` is False.
    """
    if target.exists() and not force:
        raise Conflict(f"{safe(str(target))} exists", hint="add --force", reference="file-exists")
    temporary = target.with_name(f".pyd-{secrets.token_hex(8)}")
    total = 0
    try:
        with temporary.open("xb") as file:
            while data := access.read_file(where, offset=total, limit=CHUNK_BYTES):
                file.write(data)
                total += len(data)
        temporary.chmod(mode)
        temporary.replace(target)
    except OSError as error:
        raise Refused(f"{safe(str(target))} can't be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return total


class _Reader:
    """A program's output as a stream for `tarfile`."""

    def __init__(self, process: AccessProcess) -> None:
        self._process = process
        self.total = 0

    def read(self, count: int) -> bytes:
        """Return exactly `count` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while count > 0 and (data := self._process.read(count)):
            parts.append(data)
            count -= len(data)
            self.total += len(data)
        return b"".join(parts)


def get_directory(access: Access, where: str, target: Path) -> int:
    """Copy a directory with the toolbox's tar into a new one, without links that lead out of it; return bytes."""
    try:
        target.mkdir(parents=True)
    except FileExistsError as error:
        raise Conflict(f"{safe(str(target))} exists", hint="name another", reference="file-exists") from error
    except OSError as error:
        raise Refused(f"{safe(str(target))} can't be created: {error.strerror}") from error
    process = access.start([tool("tar"), "-C", where, "-cf", "-", "."])
    process.close_input()
    reader = _Reader(process)
    left_out: list[str] = []
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", reader), mode="r|") as tar:
            for entry in tar:
                try:
                    tar.extract(entry, target, filter=data_filter)
                except (tarfile.FilterError, OSError):
                    left_out.append(entry.name)
        done = process.finish()
    except tarfile.TarError as error:
        process.end()
        raise PydError(f"tar's output is invalid: {error}", reference="copy-failed") from error
    except BaseException:
        process.end()
        raise
    if done.code not in (0, 1):  # 1: something changed while it was read
        raise PydError(f"tar: {done.stderr.decode(errors='replace').strip()[:300]}", reference="copy-failed")
    if left_out:
        shown = ", ".join(map(safe, left_out[:5]))
        click.echo(f"pyd: left out {len(left_out)} entries that can't be created here, such as {shown}", err=True)
    return reader.total
