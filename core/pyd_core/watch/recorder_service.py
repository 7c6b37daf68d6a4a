"""The recorder as a systemd service: of the system for root, of the user for others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyd_core import systemd
from pyd_core.errors import ConfigError
from pyd_core.linux.interpreter import module_command, require_root_owned_code

NAME = "pyd-record.service"
TEMPLATE = Path(__file__).with_name(NAME)


class RecorderService:
    """The recorder's unit and its installation.

    Args:
        arguments: Additional arguments of `pyd record`.
        environ: Variables: `PYD_HISTORY` and `DOCKER_HOST` go into the unit, `XDG_CONFIG_HOME` and `HOME` locate
            a user's units are.
    """

    def __init__(self, arguments: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> None:
        self._arguments = arguments
        self._environ = environ
        self.of_user = os.geteuid() != 0

    @property
    def path(self) -> Path:
        """The unit's path."""
        if not self.of_user:
            return systemd.SYSTEM_UNITS / NAME
        home = self._environ.get("XDG_CONFIG_HOME") or f"{self._environ.get('HOME', '/')}/.config"
        return Path(home) / "systemd/user" / NAME

    @property
    def unit(self) -> str:
        """The unit's text (systemd.unit(5))."""
        target = "default.target" if self.of_user else "multi-user.target"
        variables = {name: self._environ[name] for name in ("PYD_HISTORY", "DOCKER_HOST") if self._environ.get(name)}
        settings = "".join(f"Environment={systemd.quote(f'{name}={value}')}\n" for name, value in variables.items())
        line = " ".join(map(systemd.quote, module_command("pyd_tui", "record", "--quiet", *self._arguments)))
        text = TEMPLATE.read_text(encoding="utf-8").replace("{target}", target)
        return text.replace("ExecStart={command} record --quiet\n", f"ExecStart={line}\n{settings}")

    def install(self) -> str:
        """Write the unit, start it, and return a sentence about it.

        Raises:
            ConfigError: It can't be written, or systemd refuses it.
            Refused: It would run as root, and other users may change its code.
        """
        if not self.of_user:
            require_root_owned_code()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.unit, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"can't write {self.path}: {error.strerror}") from error
        if not systemd.is_booted() or shutil.which("systemctl") is None:
            return f"wrote {self.path}; systemd doesn't run here, so nothing was started"
        for arguments in (["daemon-reload"], ["enable", NAME], ["restart", NAME]):
            if (problem := systemd.systemctl(*arguments, user=self.of_user)) is not None:
                raise ConfigError(f"systemctl {' '.join(arguments)}: {problem}", hint=f"the unit is {self.path}")
        return f"wrote {self.path}; it runs now and starts with the {'session' if self.of_user else 'machine'}"
