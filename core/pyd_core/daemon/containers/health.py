"""Health checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.daemon.containers.container import Container

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon


class HealthChecks:
    """Runs the probes."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def begin(self, container: Container) -> None:
        """To come: begin."""
        pass

    def end(self, container: Container) -> None:
        """To come: end."""
        pass
