"""Networks: which there are, and a container's place on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.errors import Unsupported
from pyd_core.model.container import PortBinding
from pyd_core.model.network import EndpointSettings

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon


class Networks:
    """The engine's networks."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def wanted(
        self, record: ContainerRecord, _asked: Mapping[str, EndpointSettings | None]
    ) -> dict[str, EndpointSettings]:
        """To come: wanted."""
        return {record.network_mode: EndpointSettings()}

    async def start(self) -> None:
        """To come: start."""
        pass

    async def stop(self) -> None:
        """To come: stop."""
        pass

    async def reconcile(self) -> None:
        """To come: reconcile."""
        pass

    def remember(self, container: Container) -> None:
        """To come: remember."""
        pass

    async def enter(self, container: Container) -> dict[str, str]:
        """To come: enter."""
        if container.record.network_mode not in {"none", "host"}:
            raise Unsupported("networks are to come")
        return {}

    async def leave(self, container: Container) -> None:
        """To come: leave."""
        pass

    def write_files(self, container: Container) -> None:
        """To come: write_files."""
        (container.directory / "hostname").write_text(container.record.config.hostname + "\n")
        (container.directory / "hosts").write_text("127.0.0.1\tlocalhost\n")
        (container.directory / "resolv.conf").write_text("")

    def files(self, container: Container) -> dict[str, str]:
        """To come: files."""
        return {f"/etc/{name}": str(container.directory / name) for name in ("hosts", "hostname", "resolv.conf")}

    def bindings(self, _container: Container) -> dict[str, list[PortBinding]]:
        """To come: bindings."""
        return {}

    def key(self, _container: Container) -> str:
        """To come: key."""
        return ""
