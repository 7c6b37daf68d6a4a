"""Options of instructions: `--name=value`, `--name` for booleans, and repeatable ones."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.dockerfile.suggestions import did_you_mean
from pyd_core.errors import DockerfileError

MAX_FLAGS = 1000
"""Limit for an instruction."""


class InstructionFlags:
    """Options of one instruction.

    Args:
        flags: The options as written, without quotes.
        texts: Names of options with a value.
        booleans: Names of options that are true without a value.
        lists: Names of options with a value that may be repeated.

    Raises:
        DockerfileError: An option is unknown or repeated, or a value is missing or not allowed.
    """

    def __init__(
        self,
        flags: Sequence[str],
        *,
        texts: Sequence[str] = (),
        booleans: Sequence[str] = (),
        lists: Sequence[str] = (),
    ) -> None:
        self._texts: dict[str, str] = {}
        self._booleans: dict[str, bool] = {}
        self._lists: dict[str, list[str]] = {name: [] for name in lists}
        if len(flags) > MAX_FLAGS:
            raise DockerfileError(f"an instruction can have {MAX_FLAGS} options")
        for flag in flags:
            name, equals, value = flag.removeprefix("--").partition("=")
            if name not in {*texts, *booleans, *lists}:
                known = [f"--{option}" for option in (*texts, *booleans, *lists)]
                raise DockerfileError(f"unknown flag: --{name[:60]}{did_you_mean(f'--{name}', known)}")
            if name in self._texts or name in self._booleans:
                raise DockerfileError(f"duplicate flag specified: --{name}")
            if name in booleans:
                if equals and value.lower() not in {"true", "false"}:
                    raise DockerfileError(f"expecting boolean value for flag --{name}, not: {value[:60]}")
                self._booleans[name] = not equals or value.lower() == "true"
            elif not equals:
                raise DockerfileError(f"missing a value on flag: --{name}", hint=f"--{name}=VALUE")
            elif name in lists:
                self._lists[name].append(value)
            else:
                self._texts[name] = value

    def text(self, name: str) -> str:
        """Return an option's value, or an empty text."""
        return self._texts.get(name, "")

    def boolean(self, name: str) -> bool:
        """Return whether an option is set and true."""
        return self._booleans.get(name, False)

    def optional_boolean(self, name: str) -> bool | None:
        """Return an option's value, or None if it isn't set."""
        return self._booleans.get(name)

    def list(self, name: str) -> tuple[str, ...]:
        """Return the values of a repeatable option."""
        return tuple(self._lists[name])
