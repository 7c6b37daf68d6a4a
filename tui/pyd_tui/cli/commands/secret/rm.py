"""`pyd secret rm`."""

from __future__ import annotations

from pyd_tui.cli.swarm.names import SecretName
from pyd_tui.cli.swarm.secret_commands import remove_command

command = remove_command("secret", SecretName(), lambda engine: engine.secrets)
