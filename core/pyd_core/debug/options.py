"""The options of a debug session."""

from __future__ import annotations

import msgspec

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

PATHS = ("tools", "container")
"""Whose programs may come first on `PATH`."""


class DebugOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `pyd debug`.

    Attributes:
        target: The container's name, its id, or the beginning of its id.
        line: A line for the shell, as after `-c`.
        command: A program and its arguments, passed on exactly as they are; neither this nor `line` asks for a shell.
        identity: `root`, `tracer`, `target`, or `UID[:GID]`.
        capabilities: Further capabilities, by their names in capabilities(7).
        writable: Let the session write where the target's root file system is mounted read-only.
        volumes: `ro` or `rw`: whether the volumes of a container that doesn't run may be written; a running one's are
            as it has them.
        network: `none` or `same`: whether a session in a container that doesn't run has the container's networks.
        hold: Enter a clone of the container that does nothing, so that its program can be run by hand.
        diff: List what the session changed in a target that doesn't run, at the end.
        apply: Put changes at these paths back into the container at the end; `/` is all.
        save: Make an image of the target with the session's changes at the end, with this name.
        shell: The shell on a terminal without `line` and `command`: `pyd` is the debug shell, anything else a program
            of the target's or the toolbox's.
        explain: Show how the session gets in and what it may do, before it starts.
        path: Whose programs come first on `PATH`: `tools` or `container`.
        tier: Enter by a helper container with these rights (`helper.tiers`); None takes the least that suffice.
    """

    target: str
    line: str | None = None
    command: tuple[str, ...] = ()
    identity: str = "root"
    capabilities: tuple[str, ...] = ()
    writable: bool = False
    volumes: str = "ro"
    network: str = "none"
    hold: bool = False
    diff: bool = False
    apply: tuple[str, ...] = ()
    save: str = ""
    shell: str = "pyd"
    explain: bool = False
    path: str = "tools"
    tier: int | None = None

    def __post_init__(self) -> None:
        """Refuse contradictory options."""
        if self.line is not None and self.command:
            raise InvalidInput("both -c and a command are given", hint="give one of them")
        if self.path not in PATHS:
            raise InvalidInput(
                f"invalid PATH order: {safe(self.path)}",
                hint="use one of tools, container",
                reference="invalid-path-order",
            )
        if any("\0" in text for text in (*self.command, self.line or "")):
            raise InvalidInput("a command can't contain NUL bytes")

    @property
    def keeps_changes(self) -> bool:
        """True where the session's changes are to be listed or kept."""
        return self.diff or bool(self.apply or self.save)
