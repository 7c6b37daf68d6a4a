"""`pyd config inspect`."""

from __future__ import annotations

from pyd_tui.cli.swarm.inspect_command import inspect_command
from pyd_tui.cli.swarm.names import ConfigName

command = inspect_command("config", ConfigName(), lambda engine, name: engine.configs.inspect_raw(name))
