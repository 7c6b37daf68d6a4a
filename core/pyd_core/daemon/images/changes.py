"""Dockerfile instructions that change a configuration: `docker import -c` and `docker commit -c`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pyd_core.dockerfile.expansion import expand
from pyd_core.dockerfile.parser import parse_node
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.durations import MAX_DIGITS, parse_request_duration
from pyd_core.model.container_config import ContainerConfig, HealthConfig

MAX_PORT = 65535
_PORT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_EXPANDED = {"EXPOSE", "VOLUME", "USER", "WORKDIR", "STOPSIGNAL"}
"""Instructions whose arguments may contain variables."""


def apply_changes(config: ContainerConfig, changes: Sequence[str]) -> ContainerConfig:
    """Return the configuration after applying each instruction in turn.

    Raises:
        InvalidInput: An instruction is not allowed here, or malformed.
    """
    for line in changes:
        word, _, rest = line.strip().partition(" ")
        config = _apply(config, word.upper(), rest.strip(), line)
    return config


def apply_commit_changes(config: ContainerConfig, changes: Sequence[str]) -> ContainerConfig:
    """Return the configuration after the changes of a commit or import, in which `$NAME` is a variable from ENV.

    Raises:
        InvalidInput: An instruction is not allowed here, or malformed.
    """
    for line in changes:
        word, _, rest = line.strip().partition(" ")
        values = {name: value for name, _, value in (entry.partition("=") for entry in config.env)}
        if word.upper() in {"ENV", "LABEL"}:
            pairs = parse_node(line.strip(), "\\").arguments
            texts = [expand(text, values).text for text in pairs]
            variables = list(zip(texts[::2], texts[1::2], strict=True))
            if not variables:
                raise InvalidInput(f"{word.upper()} needs an argument: {line[:100]!r}")
            field, merged = (
                ("env", merge_env(config.env, [f"{name}={value}" for name, value in variables]))
                if word.upper() == "ENV"
                else ("labels", {**config.labels, **dict(variables)})
            )
            config = msgspec.structs.replace(config, **{field: merged})
        elif word.upper() in _EXPANDED and not rest.strip().startswith("["):
            config = apply_changes(config, [f"{word} {' '.join(expand(rest.strip(), values).words)}"])
        else:
            config = apply_changes(config, [line])
    return config


def _apply(config: ContainerConfig, word: str, rest: str, line: str) -> ContainerConfig:
    if word == "MAINTAINER":
        return config
    if word not in _PARSERS:
        raise InvalidInput(f"{word or 'an empty line'} is not a valid change command")
    if word != "CMD" and not rest:
        raise InvalidInput(f"{word} needs an argument: {line[:100]!r}")
    return msgspec.structs.replace(config, **_PARSERS[word](config, rest))


def _expose(config: ContainerConfig, rest: str) -> dict[str, Any]:
    ports: dict[str, dict[str, str]] = {port: {} for text in rest.split() for port in _parse_ports(text)}
    return {"exposed_ports": {**config.exposed_ports, **ports}}


def _parse_ports(text: str) -> list[str]:
    """Parse `PORT[-LAST][/PROTOCOL]`.

    Raises:
        InvalidInput: It is not a port.
    """
    match = _PORT.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if match is None or not first <= last <= MAX_PORT:
        raise InvalidInput(f"invalid containerPort: {text[:60]}")
    return [f"{port}/{(match[3] or 'tcp').lower()}" for port in range(first, last + 1)]


def _volume(config: ContainerConfig, rest: str) -> dict[str, Any]:
    paths = parse_exec_form(rest)
    if paths is None:
        paths = rest.split()
    return {"volumes": {**config.volumes, **{path: {} for path in paths}}}


_PARSERS: dict[str, Callable[[ContainerConfig, str], dict[str, Any]]] = {
    "CMD": lambda config, rest: {"cmd": parse_command(rest, config.shell)},
    "ENTRYPOINT": lambda config, rest: {"entrypoint": parse_command(rest, config.shell)},
    "EXPOSE": _expose,
    "VOLUME": _volume,
    "USER": lambda _, rest: {"user": rest},
    "WORKDIR": lambda config, rest: {
        "working_dir": posixpath.normpath(posixpath.join(config.working_dir or "/", rest))
    },
    "STOPSIGNAL": lambda _, rest: {"stop_signal": rest},
    "ONBUILD": lambda config, rest: {"on_build": [*(config.on_build or []), rest]},
    "SHELL": lambda _, rest: {"shell": _parse_shell(rest)},
    "HEALTHCHECK": lambda _, rest: {"healthcheck": _parse_healthcheck(rest)},
}


DEFAULT_SHELL = ("/bin/sh", "-c")


def _parse_shell(text: str) -> list[str]:
    try:
        return msgspec.json.decode(text.encode(), type=list[str])
    except msgspec.DecodeError:
        raise InvalidInput(f"SHELL requires the arguments to be in JSON form, not {text[:100]!r}") from None


def parse_command(text: str, shell: Sequence[str] | None = None) -> list[str]:
    """Parse the exec form (a JSON list) or wrap the shell form."""
    words = parse_exec_form(text)
    return [*(shell or DEFAULT_SHELL), *([text] if text else [])] if words is None else words


def parse_exec_form(text: str) -> list[str] | None:
    """Parse the exec form, a JSON list of strings; return None for anything else, which Docker too treats as words."""
    if not text.startswith("["):
        return None
    try:
        return msgspec.json.decode(text.encode(), type=list[str])
    except msgspec.DecodeError:
        return None


def merge_env(base: Sequence[str], changes: Sequence[str]) -> list[str]:
    """Return an environment in which later values replace earlier ones."""
    variables = {entry.partition("=")[0]: entry for entry in base}
    for entry in changes:
        name, equals, _ = entry.partition("=")
        if equals:
            variables[name] = entry
        else:
            variables.pop(name, None)
    return list(variables.values())


def _parse_healthcheck(text: str) -> HealthConfig:
    options: dict[str, Any] = {}
    while text.startswith("--"):
        option, _, text = text.partition(" ")
        name, _, value = option[2:].partition("=")
        field = name.replace("-", "_")
        if field not in {"interval", "timeout", "start_period", "start_interval", "retries"}:
            raise InvalidInput(f"HEALTHCHECK has no option --{name[:40]}")
        if field in options:
            raise InvalidInput(f"Duplicate flag specified: {name}")
        options[field] = _parse_retries(value) if field == "retries" else parse_request_duration(value)
        text = text.strip()
    if text.upper() == "NONE":
        return HealthConfig(test=["NONE"])
    word, _, rest = text.partition(" ")
    if word.upper() != "CMD":
        raise InvalidInput("HEALTHCHECK takes NONE or CMD")
    rest = rest.strip()
    test = ["CMD", *parse_command(rest)] if rest.startswith("[") else ["CMD-SHELL", rest]
    return HealthConfig(test=test, **options)


def _parse_retries(text: str) -> int:
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        raise InvalidInput(f"HEALTHCHECK --retries: {text[:40]!r} is no number")
    return int(text)
