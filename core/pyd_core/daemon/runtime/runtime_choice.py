"""Which OCI runtime a container has: the engine's, or one named with `--runtime`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.runtime import oci
from pyd_core.daemon.settings import RuntimeSettings
from pyd_core.errors import InvalidInput

if TYPE_CHECKING:
    from pyd_core.daemon.containers.record import ContainerRecord

USUAL = ("crun", "runc")
SHIM = "io.containerd.runc.v2"
"""What Docker Engine calls its own."""


class Runtimes:
    """The engine's own runtime, the usual ones that are installed, and those of the settings.

    Args:
        wanted: The engine's own, by name or path; empty chooses one that suits the host.
        run: Where their state goes, a directory each: they don't read each other's.
        more: Those of the settings.
    """

    def __init__(self, wanted: str, run: Path, more: Mapping[str, RuntimeSettings]) -> None:
        self._run = run
        self._more = more
        named = more.get(wanted)
        path = oci.choose(named.path if named else wanted)
        self.default = oci.Runtime(path, run / "runtime", tuple(named.runtime_args) if named else ())

    def all(self) -> dict[str, oci.Runtime]:
        """Returns those that are there, by name, the engine's own first."""
        found = {self.default.name: self.default}
        for name in USUAL:
            path = oci.find(name)
            if path:
                found.setdefault(name, oci.Runtime(path, self._run / f"runtime-{name}"))
        for name, each in self._more.items():
            found[name] = oci.Runtime(each.path, self._run / f"runtime-{name}", tuple(each.runtime_args))
        return found

    def find(self, name: str) -> oci.Runtime:
        """Returns a runtime by its name; without one, the engine's own.

        Raises:
            InvalidInput: There is none of that name.
        """
        if name in {"", SHIM, self.default.name}:
            return self.default
        known = self.all()
        if name not in known:
            raise InvalidInput(
                f"unknown or invalid runtime name: {name[:60]}",
                hint=f"there is {', '.join(known)}; install it, or name it under runtimes in the engine's settings",
            )
        return known[name]

    def of(self, record: ContainerRecord) -> oci.Runtime:
        """Returns a container's.

        Raises:
            InvalidInput: It was there when the container was made, and isn't any more.
        """
        return self.find(record.host.runtime)
