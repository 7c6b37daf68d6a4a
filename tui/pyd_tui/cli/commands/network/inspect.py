"""`pyd network inspect`."""

from __future__ import annotations

from pyd_tui.cli.objects.inspect import inspect_command
from pyd_tui.cli.objects.names import NetworkName

command = inspect_command(
    NetworkName(), "network", "networks", (("pyd network inspect app", "show a network and its containers"),)
)
