"""`pyd volume inspect`."""

from __future__ import annotations

from pyd_tui.cli.objects.inspect import inspect_command
from pyd_tui.cli.objects.names import VolumeName

command = inspect_command(VolumeName(), "volume", "volumes", (("pyd volume inspect data", "show a volume"),))
