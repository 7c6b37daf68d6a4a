"""`put`: copies files into the target."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import click

from pyd_core.debug.access import Access
from pyd_core.debug.inspectors.files import absolute, kind_of
from pyd_core.debug.inspectors.tools import tool
from pyd_core.errors import InvalidInput, NotFound, PydError, Refused
from pyd_core.humanize import size
from pyd_core.sanitise import safe
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.paths import TargetPath
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

MOST_BYTES = 1 << 30


@click.command(
    "put",
    cls=BuiltinCommand,
    examples=(
        ("put nginx.conf /etc/nginx/nginx.conf", "replace a file; it keeps its owner and mode"),
        ("put ./site /srv", "a folder with all in it, as /srv/site"),
    ),
)
@click.argument("source", type=click.Path(path_type=Path), metavar="SOURCE")
@click.argument("target", type=TargetPath(), required=False, default=".", metavar="[PATH]")
@click.option("--mode", metavar="OCTAL", help="Permission bits of the file, as in 0755.")
@pass_shell
def command(shell: ShellContext, /, *, source: Path, target: str, mode: str | None) -> None:
    """Copy a file or folder of this machine into the target; a file is there whole or not at all."""
    if not source.exists():
        raise NotFound(f"{safe(str(source))}: no such file on this machine")
    where = absolute(target, shell.cwd)
    if source.is_dir():
        total = put_folder(shell.access, source, where)
    else:
        if _is_folder(shell.access, where):
            where = f"{where.rstrip('/')}/{source.name}"
        bits = _bits(mode) if mode is not None else _mode(shell.access, where, source)
        data = _content(source)
        shell.access.write_file(where, data, mode=bits)
        total = len(data)
    if shell.json:
        write_json({"path": where, "bytes": total})
    else:
        click.echo(f"pyd: {size(total)} to {safe(where)} in {shell.name}", err=True)


def put_folder(access: Access, source: Path, where: str) -> int:
    """Unpack a folder by the toolbox's tar, in whose root no link leads out of the target; return bytes."""
    if not _is_folder(access, where):
        raise NotFound(f"{safe(where)} is no folder of the target", hint="name one to put it into")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(source, arcname=source.resolve().name, filter=_by_root)
    data = buffer.getvalue()
    done = access.run([tool("tar"), "-C", where, "-xf", "-", "--no-same-owner"], data=data)
    if done.code != 0:
        raise PydError(f"tar: {done.stderr.decode(errors='replace').strip()[:300]}", reference="copy-failed")
    return len(data)


def _by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _content(source: Path) -> bytes:
    try:
        if source.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{safe(str(source))} is bigger than {size(MOST_BYTES)}", hint="use docker cp")
        return source.read_bytes()
    except OSError as error:
        raise Refused(f"{safe(str(source))} can't be read: {error.strerror}") from error


def _is_folder(access: Access, path: str) -> bool:
    try:
        return kind_of(access.stat(path)) == "directory"
    except NotFound:
        return False


def _mode(access: Access, path: str, source: Path) -> int | None:
    """The source's mode for a new file; one that is there keeps its own."""
    try:
        access.stat(path)
    except NotFound:
        return source.stat().st_mode & 0o777
    return None


def _bits(text: str) -> int:
    try:
        bits = int(text, 8)
    except ValueError as error:
        raise InvalidInput(f"not a mode: {text!r}", hint="write it in octal, as in 0755") from error
    if not 0 <= bits <= 0o7777:
        raise InvalidInput(f"not a mode: {text!r}", hint="write it in octal, as in 0755")
    return bits
