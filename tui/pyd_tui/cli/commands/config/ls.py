"""`pyd config ls`."""

from __future__ import annotations

from pyd_tui.cli.swarm.secret_commands import list_command

command = list_command("config", lambda engine: engine.configs)
