"""Services of a swarm, as `pyd service ls` and `stack services` list them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyd_core.model.service import Service
from pyd_tui.console.listing import TableListing


def _fields(service: Service, full: bool) -> Mapping[str, Any]:
    status = service.service_status
    image = service.spec.task_template.container_spec.image
    ports = [
        f"*:{port.published_port}->{port.target_port}/{port.protocol}"
        for port in service.endpoint.ports
        if port.published_port
    ]
    return {
        "ID": service.id if full else service.id[:12],
        "Name": service.spec.name,
        "Mode": service.spec.mode.name,
        "Replicas": f"{status.running_tasks}/{status.desired_tasks}" if status else "",
        "Image": image if full else image.partition("@")[0],
        "Ports": ", ".join(ports),
    }


LISTING = TableListing(
    fields=_fields,
    titles={
        "ID": "ID",
        "Name": "NAME",
        "Mode": "MODE",
        "Replicas": "REPLICAS",
        "Image": "IMAGE",
        "Ports": "PORTS",
    },
    shown=("ID", "Name", "Mode", "Replicas", "Image", "Ports"),
)
