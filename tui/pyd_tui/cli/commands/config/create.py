"""`pyd config create`."""

from __future__ import annotations

from pyd_tui.cli.swarm.secret_commands import create_command

command = create_command("config", lambda engine: engine.configs)
