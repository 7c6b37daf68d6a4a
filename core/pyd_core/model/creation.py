"""Requests to create containers."""

from __future__ import annotations

from typing import ClassVar

from pyd_core.model.base import ApiStruct
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import HostConfig
from pyd_core.model.network import EndpointSettings


class NetworkingConfig(ApiStruct):
    """Networks to connect to, by name."""

    SPEC: ClassVar[str] = "NetworkingConfig"

    endpoints_config: dict[str, EndpointSettings | None] = {}


class CreateBody(ContainerConfig):
    """Body of `POST /containers/create`."""

    SPEC: ClassVar[str] = "POST /containers/create body"

    mac_address: str = ""
    """MAC address on its main network; newer clients set it in the endpoint."""
    network_disabled: bool = False
    """Whether it has no network."""
    host_config: HostConfig = HostConfig()
    networking_config: NetworkingConfig = NetworkingConfig()
