"""Selection of a container's OCI runtime: the engine's, or one named with `--runtime`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.runtime import oci
from pyd_core.daemon.settings import RuntimeSettings
from pyd_core.errors import InvalidInput

if TYPE_CHECKING:
    from pyd_core.daemon.containers.record import ContainerRecord

COMMON_RUNTIMES = ("crun", "runc")
DOCKER_RUNTIME = "io.containerd.runc.v2"
"""Name of Docker Engine's own runtime."""


class Runtimes:
    """The engine's default runtime, the common ones that are installed, and those of the settings.

    Args:
        name: The default, by name or path; empty selects one that suits the host.
        run: The directory for their state, which they don't share.
        settings: The runtimes of the settings.
    """

    def __init__(self, name: str, run: Path, settings: Mapping[str, RuntimeSettings]) -> None:
        self._run = run
        self._settings = settings
        configured = settings.get(name)
        path = oci.choose(configured.path if configured else name)
        self.default = oci.Runtime(path, run / "runtime", tuple(configured.runtime_args) if configured else ())

    def all(self) -> dict[str, oci.Runtime]:
        """Return the installed runtimes by name, the default first."""
        runtimes = {self.default.name: self.default}
        for name in COMMON_RUNTIMES:
            path = oci.find(name)
            if path:
                runtimes.setdefault(name, oci.Runtime(path, self._run / f"runtime-{name}"))
        for name, runtime in self._settings.items():
            runtimes[name] = oci.Runtime(runtime.path, self._run / f"runtime-{name}", tuple(runtime.runtime_args))
        return runtimes

    def find(self, name: str) -> oci.Runtime:
        """Return a runtime by its name; an empty name is the default.

        Raises:
            InvalidInput: There is no such runtime.
        """
        if name in {"", DOCKER_RUNTIME, self.default.name}:
            return self.default
        known = self.all()
        if name not in known:
            raise InvalidInput(
                f"unknown or invalid runtime name: {name[:60]}",
                hint=f"there is {', '.join(known)}; install it, or name it under runtimes in the engine's settings",
            )
        return known[name]

    def of(self, record: ContainerRecord) -> oci.Runtime:
        """Return a container's runtime.

        Raises:
            InvalidInput: It was removed since the container was created.
        """
        return self.find(record.host.runtime)
