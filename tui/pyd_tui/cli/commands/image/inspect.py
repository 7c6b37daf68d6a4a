"""`pyd image inspect`."""

from __future__ import annotations

from pyd_tui.cli.objects.inspect import inspect_command
from pyd_tui.cli.objects.names import ImageName

command = inspect_command(ImageName(), "image", "images", (("pyd image inspect app", "show an image"),))
