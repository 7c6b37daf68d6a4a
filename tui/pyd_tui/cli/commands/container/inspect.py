"""`pyd container inspect`."""

from __future__ import annotations

from pyd_tui.cli.objects.inspect import inspect_command
from pyd_tui.cli.objects.names import ContainerName

command = inspect_command(
    ContainerName(), "container", "containers", (("pyd container inspect web", "show a container"),)
)
