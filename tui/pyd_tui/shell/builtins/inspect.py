"""`inspect`: the engine's data about the target."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from pyd_core.errors import NotFound
from pyd_core.sanitise import safe
from pyd_tui.console.documents import print_document
from pyd_tui.console.output import json_document, write
from pyd_tui.shell.builtins.asking import ask
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "inspect",
    cls=BuiltinCommand,
    examples=(
        ("inspect", "everything"),
        ("inspect State.Health", "one part"),
        ("inspect Mounts.0.Source", "one value"),
    ),
)
@click.argument("part", required=False, default="", metavar="[PART]")
@pass_shell
def command(shell: ShellContext, /, *, part: str) -> None:
    """Show the engine's data about the target, or a part of it, given by its keys separated by dots."""
    value: Any = msgspec.json.decode(ask(shell, lambda engine, name: engine.containers.inspect_raw(name)))
    for key in filter(None, part.split(".")):
        value = _within(value, key, part)
    if isinstance(value, str) and not shell.json:
        write(f"{safe(value)}\n")
        return
    print_document(json_document(msgspec.json.encode(value)), plain=shell.json)


def _within(value: Any, key: str, part: str) -> Any:
    if isinstance(value, list) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.lower() == key.lower():
                return inner
    keys = ", ".join(map(str, value)) if isinstance(value, dict) else ""
    raise NotFound(f"nothing at {key!r} of {part!r}", hint=f"available: {keys}" if keys else "", reference="no-part")
