"""`pyd node demote`."""

from __future__ import annotations

from pyd_tui.cli.swarm.nodes import role_command

command = role_command("demote", "worker", "Demote one or more managers to workers.")
