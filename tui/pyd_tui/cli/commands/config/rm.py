"""`pyd config rm`."""

from __future__ import annotations

from pyd_tui.cli.swarm.names import ConfigName
from pyd_tui.cli.swarm.secret_commands import remove_command

command = remove_command("config", ConfigName(), lambda engine: engine.configs)
