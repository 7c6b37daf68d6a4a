"""`edit`: edit a file of the target in this machine's editor."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import tempfile
from pathlib import Path

import click

from pyd_core.debug.inspectors.files import absolute
from pyd_core.errors import Conflict, InvalidInput, NotFound, Refused
from pyd_core.humanize import size
from pyd_core.sanitise import safe
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.paths import TargetPath
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

MAX_FILE_BYTES = 16 << 20


@click.command(
    "edit",
    cls=BuiltinCommand,
    examples=(("edit /etc/nginx/nginx.conf", "by $VISUAL or $EDITOR; written back when it ends"),),
)
@click.argument("path", type=TargetPath(), metavar="PATH")
@pass_shell
def command(shell: ShellContext, /, *, path: str) -> int:
    """Edit a file of the target in your own editor; it is written back atomically, unless the target changed it."""
    target_path = absolute(path, shell.cwd)
    access = shell.access
    try:
        before = access.stat(target_path)
        content = access.read_file(target_path, limit=MAX_FILE_BYTES + 1)
    except NotFound:
        before, content = None, b""
    if len(content) > MAX_FILE_BYTES:
        raise InvalidInput(f"{safe(target_path)} is bigger than {size(MAX_FILE_BYTES)}", hint="get it, and put it back")
    with tempfile.TemporaryDirectory(prefix="pyd-edit-") as directory:
        # The extension selects highlighting in the editor; the rest of the name isn't the target's.
        extension = "".join(
            letter for letter in Path(target_path).suffix if (letter.isalnum() and letter.isascii()) or letter == "."
        )
        local = Path(directory) / f"{shell.name}{extension[:16]}"
        local.write_bytes(content)
        code = _edit(local)
        edited = local.read_bytes() if local.exists() else content
    changed = code == 0 and edited != content
    if changed:
        now = access.stat(target_path) if before is not None else None
        if now is not None and before is not None and (now.changed, now.size) != (before.changed, before.size):
            raise Conflict(
                f"{shell.name} has changed {safe(target_path)} meanwhile",
                hint="edit it again",
                reference="changed-meanwhile",
            )
        access.write_file(target_path, edited, mode=None if before is None else stat.S_IMODE(before.mode))
    if shell.json:
        write_json({"path": target_path, "changed": changed, "bytes": len(edited)})
    else:
        click.echo(
            f"pyd: {safe(target_path)}: " + (f"{size(len(edited))} written" if changed else "not changed"), err=True
        )
    return code


def _edit(file: Path) -> int:
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        return subprocess.run([*words, str(file)], check=False).returncode
    except OSError as error:
        raise Refused(f"no editor {safe(words[0])}: {error.strerror}", hint="name one in EDITOR") from error
