"""Tests of the choice of access to a container's files."""

from __future__ import annotations

import socket
from pathlib import Path

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.files.choice import locate_layers
from pyd_core.model.container import Container, GraphDriver


def test_layers_are_looked_up_without_an_event_loop(tmp_path: Path):
    """Podman's vfs and containerd name no directories in inspect; one-shot commands have no loop."""
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        container = Container(id="a" * 64, graph_driver=GraphDriver(name="vfs"))
        assert run_now(locate_layers(blocking_engine(Endpoint(url=f"unix://{path}")), container)) == container
