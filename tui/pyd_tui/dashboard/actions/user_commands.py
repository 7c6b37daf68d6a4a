"""The user's own commands: templates, and the command lines made of them and a container."""

from __future__ import annotations

import shlex
import string
from collections.abc import Mapping

from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.config.settings import UserCommand

FIELDS = ("name", "id", "image", "project", "service", "state", "pid")
"""The fields that a template can use."""


def words(command: UserCommand) -> list[str]:
    """Return the words of a template; a line for a shell is a single word.

    Raises:
        ValueError: A quote isn't closed.
    """
    return [command.run] if command.shell else shlex.split(command.run)


def values(entry: ContainerInfo | None) -> dict[str, str]:
    """Return the values of the fields for a container; all are empty without one."""
    return {field: str(getattr(entry, field)) if entry is not None else "" for field in FIELDS}


def command_line(command: UserCommand, given: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return program and arguments, and variables for its environment.

    Values are inserted after the template is split into words, so no blank or quote in a name can add a word. A shell
    gets them through variables, whose contents it never runs as commands.

    Raises:
        ValueError: The template isn't well-formed.
        KeyError: It uses an unknown field.
    """
    if not command.shell:
        return [_filled(word, given) for word in words(command)], {}
    variables = {f"PYD_{name.upper().replace(' ', '_').replace('-', '_')}": value for name, value in given.items()}
    stand_ins = {name: f"${{{variable}}}" for name, variable in zip(given, variables, strict=True)}
    return ["sh", "-c", _filled(command.run, stand_ins)], variables


def _filled(template: str, given: Mapping[str, str]) -> str:
    parts: list[str] = []
    for text, name, _, _ in string.Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append(given[name])
    return "".join(parts)
