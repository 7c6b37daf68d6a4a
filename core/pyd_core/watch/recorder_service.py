"""The recorder as a service: systemd's system manager for root, the user's own for everybody else."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyd_core.errors import ConfigError
from pyd_core.linux.interpreter import module_command, require_root_owned_code

NAME = "pyd-record.service"
TEMPLATE = Path(__file__).with_name(NAME)
BOOTED = Path("/run/systemd/system")
"""There where systemd is the service manager (sd_booted(3))."""


class RecorderService:
    """The unit, for the command that installs it.

    Args:
        words: What `pyd record` is to be given on top.
        environ: Variables: `PYD_HISTORY` and `DOCKER_HOST` go into the unit, `XDG_CONFIG_HOME` and `HOME` say where
            a user's units lie.
    """

    def __init__(self, words: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> None:
        self._words = words
        self._environ = environ
        self.of_user = os.geteuid() != 0

    @property
    def path(self) -> Path:
        """Where the unit belongs."""
        if not self.of_user:
            return Path("/etc/systemd/system") / NAME
        home = self._environ.get("XDG_CONFIG_HOME") or f"{self._environ.get('HOME', '/')}/.config"
        return Path(home) / "systemd/user" / NAME

    @property
    def unit(self) -> str:
        """Its text (systemd.unit(5)); `%` begins a specifier there, so what is put in has it doubled."""
        target = "default.target" if self.of_user else "multi-user.target"
        told = {name: self._environ[name] for name in ("PYD_HISTORY", "DOCKER_HOST") if self._environ.get(name)}
        settings = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in told.items())
        line = " ".join(map(_quoted, module_command("pyd_tui", "record", "--quiet", *self._words)))
        text = TEMPLATE.read_text(encoding="utf-8").replace("{target}", target)
        return text.replace("ExecStart={command} record --quiet\n", f"ExecStart={line}\n{settings}")

    def install(self) -> str:
        """Write the unit and start it, and say what was done.

        Raises:
            ConfigError: It can't be written, or systemd refuses it.
            Refused: It would be root's, and others than root may change the code it runs.
        """
        if not self.of_user:
            require_root_owned_code()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.unit, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"can't write {self.path}: {error.strerror}") from error
        if not BOOTED.is_dir() or shutil.which("systemctl") is None:
            return f"wrote {self.path}; systemd doesn't run here, so nothing was started"
        systemctl = ["systemctl", *(["--user"] if self.of_user else [])]
        for words in (["daemon-reload"], ["enable", "--quiet", NAME], ["restart", NAME]):
            done = subprocess.run([*systemctl, *words], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ConfigError(
                    f"systemctl {' '.join(words)}: {done.stderr.strip() or 'failed'}", hint=f"the unit is {self.path}"
                )
        return f"wrote {self.path}; it runs now and starts with the {'session' if self.of_user else 'machine'}"


def _quoted(word: str) -> str:
    """A word as unit files take it (systemd.syntax(7)): quoted where a shell would, specifiers made plain."""
    plain = word.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace("\n", " ")
    return plain if shlex.quote(word) == word else '"' + plain.replace('"', '\\"') + '"'
