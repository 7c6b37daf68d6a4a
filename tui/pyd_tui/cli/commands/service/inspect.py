"""`pyd service inspect`."""

from __future__ import annotations

from pyd_tui.cli.swarm.inspect_command import inspect_command
from pyd_tui.cli.swarm.names import ServiceName

command = inspect_command("service", ServiceName(), lambda engine, name: engine.services.inspect_raw(name))
