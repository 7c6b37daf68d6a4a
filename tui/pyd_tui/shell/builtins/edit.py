"""`edit`: a file of the target in the editor of this machine."""

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

MOST_BYTES = 16 << 20


@click.command(
    "edit",
    cls=BuiltinCommand,
    examples=(("edit /etc/nginx/nginx.conf", "by $VISUAL or $EDITOR; written back when it ends"),),
)
@click.argument("path", type=TargetPath(), metavar="PATH")
@pass_shell
def command(shell: ShellContext, /, *, path: str) -> int:
    """Edit a file of the target in your own editor; it is written back whole, unless the target changed it."""
    where = absolute(path, shell.cwd)
    access = shell.access
    try:
        before = access.stat(where)
        old = access.read_file(where, limit=MOST_BYTES + 1)
    except NotFound:
        before, old = None, b""
    if len(old) > MOST_BYTES:
        raise InvalidInput(f"{safe(where)} is bigger than {size(MOST_BYTES)}", hint="get it, and put it back")
    with tempfile.TemporaryDirectory(prefix="pyd-edit-") as folder:
        # Its end tells the editor how to colour it; nothing else of the name is the target's.
        end = "".join(
            letter for letter in Path(where).suffix if (letter.isalnum() and letter.isascii()) or letter == "."
        )
        local = Path(folder) / f"{shell.name}{end[:16]}"
        local.write_bytes(old)
        code = _edit(local)
        new = local.read_bytes() if local.exists() else old
    changed = code == 0 and new != old
    if changed:
        now = access.stat(where) if before is not None else None
        if now is not None and before is not None and (now.changed, now.size) != (before.changed, before.size):
            raise Conflict(
                f"{shell.name} has changed {safe(where)} meanwhile", hint="edit it again", reference="changed-meanwhile"
            )
        access.write_file(where, new, mode=None if before is None else stat.S_IMODE(before.mode))
    if shell.json:
        write_json({"path": where, "changed": changed, "bytes": len(new)})
    else:
        click.echo(f"pyd: {safe(where)}: " + (f"{size(len(new))} written" if changed else "not changed"), err=True)
    return code


def _edit(file: Path) -> int:
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        return subprocess.run([*words, str(file)], check=False).returncode
    except OSError as error:
        raise Refused(f"no editor {safe(words[0])}: {error.strerror}", hint="name one in EDITOR") from error
