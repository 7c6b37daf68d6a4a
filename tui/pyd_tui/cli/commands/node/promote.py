"""`pyd node promote`."""

from __future__ import annotations

from pyd_tui.cli.swarm.nodes import role_command

command = role_command("promote", "manager", "Promote one or more workers to managers.")
