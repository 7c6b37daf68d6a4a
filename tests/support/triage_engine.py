"""An engine with all that deaths are staged with."""

from __future__ import annotations

from dataclasses import dataclass

from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.staged import ask


@dataclass(frozen=True)
class House:
    """Engine under test.

    Attributes:
        kind: `docker`, `podman` or `pydd`.
        corner: The engine.
        image: With busybox and every program.
        dynamic: With a program whose library is missing.
    """

    kind: str
    corner: Docker
    image: str
    dynamic: str

    def judge(self, name: str) -> Verdict:
        """The verdict on a container."""
        return ask(self.corner.host, name)
