"""`put`: copy files into the target."""

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

MAX_FILE_BYTES = 1 << 30


@click.command(
    "put",
    cls=BuiltinCommand,
    examples=(
        ("put nginx.conf /etc/nginx/nginx.conf", "replace a file; it keeps its owner and mode"),
        ("put ./site /srv", "a directory with its contents, as /srv/site"),
    ),
)
@click.argument("source", type=click.Path(path_type=Path), metavar="SOURCE")
@click.argument("target", type=TargetPath(), required=False, default=".", metavar="[PATH]")
@click.option("--mode", metavar="OCTAL", help="Permissions of the file, such as 0755.")
@pass_shell
def command(shell: ShellContext, /, *, source: Path, target: str, mode: str | None) -> None:
    """Copy a file or directory of this machine into the target; a file is written atomically."""
    if not source.exists():
        raise NotFound(f"{safe(str(source))}: no such file on this machine")
    target_path = absolute(target, shell.cwd)
    if source.is_dir():
        total = put_directory(shell.access, source, target_path)
    else:
        if _is_directory(shell.access, target_path):
            target_path = f"{target_path.rstrip('/')}/{source.name}"
        bits = _parse_mode(mode) if mode is not None else _mode(shell.access, target_path, source)
        data = _read_file(source)
        shell.access.write_file(target_path, data, mode=bits)
        total = len(data)
    if shell.json:
        write_json({"path": target_path, "bytes": total})
    else:
        click.echo(f"pyd: {size(total)} to {safe(target_path)} in {shell.name}", err=True)


def put_directory(access: Access, source: Path, where: str) -> int:
    """Unpack a directory with the toolbox's tar, for which no link leads out of the target; return bytes."""
    if not _is_directory(access, where):
        raise NotFound(f"{safe(where)} isn't a directory of the target", hint="name an existing directory")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(source, arcname=source.resolve().name, filter=_owned_by_root)
    data = buffer.getvalue()
    done = access.run([tool("tar"), "-C", where, "-xf", "-", "--no-same-owner"], data=data)
    if done.code != 0:
        raise PydError(f"tar: {done.stderr.decode(errors='replace').strip()[:300]}", reference="copy-failed")
    return len(data)


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _read_file(source: Path) -> bytes:
    try:
        if source.stat().st_size > MAX_FILE_BYTES:
            raise InvalidInput(f"{safe(str(source))} is bigger than {size(MAX_FILE_BYTES)}", hint="use docker cp")
        return source.read_bytes()
    except OSError as error:
        raise Refused(f"{safe(str(source))} can't be read: {error.strerror}") from error


def _is_directory(access: Access, path: str) -> bool:
    try:
        return kind_of(access.stat(path)) == "directory"
    except NotFound:
        return False


def _mode(access: Access, path: str, source: Path) -> int | None:
    """Return the source's mode for a new file; an existing file keeps its own."""
    try:
        access.stat(path)
    except NotFound:
        return source.stat().st_mode & 0o777
    return None


def _parse_mode(text: str) -> int:
    try:
        bits = int(text, 8)
    except ValueError as error:
        raise InvalidInput(f"not a mode: {text!r}", hint="write it in octal, such as 0755") from error
    if not 0 <= bits <= 0o7777:
        raise InvalidInput(f"not a mode: {text!r}", hint="write it in octal, such as 0755")
    return bits
