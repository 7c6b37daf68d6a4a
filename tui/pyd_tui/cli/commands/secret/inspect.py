"""`pyd secret inspect`."""

from __future__ import annotations

from pyd_tui.cli.swarm.inspect_command import inspect_command
from pyd_tui.cli.swarm.names import SecretName

command = inspect_command("secret", SecretName(), lambda engine, name: engine.secrets.inspect_raw(name))
