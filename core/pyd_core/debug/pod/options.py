"""Options of a debug session in a cluster."""

from __future__ import annotations

import msgspec

from pyd_core.errors import InvalidInput

IDLE_TTL_S = 3600
"""Seconds after which an ephemeral container without a session ends itself."""


class PodDebugOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `pyd debug` in a cluster.

    Attributes:
        target: `pod/NAME[/CONTAINER]`, `deploy/NAME`, `node/NAME`, or a container's name or id.
        image: The image of the debug container; it needs `sh`.
        line: A line for the shell.
        command: A program and its arguments.
        profile: A rung of the ladder; empty tries them, the least privileged first.
        copy: Debug a copy of the pod whose container is held, instead of the pod.
        ttl_s: Seconds after which an idle ephemeral container, or a copy, ends itself.
        joins: Whether the image has the toolbox, so that its agent can join the target.
        explain: Report how the session gets in, and its privileges.
    """

    target: str
    image: str = ""
    line: str | None = None
    command: tuple[str, ...] = ()
    profile: str = ""
    copy: bool = False
    ttl_s: int = IDLE_TTL_S
    joins: bool = False
    explain: bool = False

    def __post_init__(self) -> None:
        """Refuse contradictory options."""
        if self.line is not None and self.command:
            raise InvalidInput("both -c and a command are given", hint="give one of them")
        if any("\0" in text for text in (*self.command, self.line or "")):
            raise InvalidInput("a command can't contain NUL bytes")
