"""Forms about a container: their initial fields, and the changes that the answers stand for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

from pyd_core.client.options import CommitOptions
from pyd_core.client.recreate import Changes
from pyd_core.cliparse.ports import parse_published
from pyd_core.errors import InvalidInput
from pyd_core.model.container import Container
from pyd_core.sanitise import safe
from pyd_tui.dashboard.actions.catalogue import limits
from pyd_tui.dashboard.screens.form import Field

LIMITS = ("memory", "cpus", "pids", "restart")
PAUSE = "pause (yes/no)"
"""The label of the field that says whether a commit pauses the container."""


def recreate_fields(container: Container) -> list[Field]:
    """Return the fields that can be changed when a container is recreated."""
    return [
        Field(name="image", value=container.config.image),
        Field(name="command", value=shlex.join(container.config.cmd or []), hint="empty = the image's own"),
        Field(name="env", hint="NAME=value sets one, -NAME removes one"),
        Field(name="ports", value=" ".join(_ports(container)), hint="e.g. 8080:80 127.0.0.1:5353:53/udp"),
        *limit_fields(container),
    ]


def recreate_changes(container: Container, given: Mapping[str, str]) -> Changes:
    """Return the changes from the container as it is.

    Raises:
        InvalidInput: A field can't be parsed.
    """
    first = {field.name: field.value for field in recreate_fields(container)}
    differ = {name: text for name, text in given.items() if text.strip() != first[name].strip()}
    image = differ.get("image")
    if image is not None and not image.strip():
        raise InvalidInput("an image is needed")
    return Changes(
        image=image.strip() if image else None,
        command=_words("command", differ["command"]) if "command" in differ else None,
        env=_env(given["env"]),
        ports=_bindings(differ["ports"]) if "ports" in differ else None,
        host=limits(_limits(differ)),
    )


def limit_fields(container: Container | None = None) -> list[Field]:
    """Return the current limits and restart policy."""
    host = container.host_config if container is not None else None
    memory = f"{host.memory >> 20}m" if host and host.memory else ""
    cpus = f"{host.nano_cpus / 1e9:g}" if host and host.nano_cpus else ""
    pids = str(host.pids_limit) if host and host.pids_limit and host.pids_limit > 0 else ""
    restart = host.restart_policy.name if host else ""
    return [
        Field(name="memory", value=memory, hint="e.g. 512m or 2g; empty = unchanged"),
        Field(name="cpus", value=cpus, hint="e.g. 1.5; empty = unchanged"),
        Field(name="pids", value=pids, hint="e.g. 50, -1 = no limit; empty = unchanged"),
        Field(name="restart", value=restart, hint="no, always, unless-stopped, on-failure:3; empty = unchanged"),
    ]


def limit_changes(container: Container | None, given: Mapping[str, str]) -> list[str]:
    """Return the limits that differ, as `:update` takes them.

    Raises:
        InvalidInput: A limit can't be parsed, or nothing differs.
    """
    first = {field.name: field.value for field in limit_fields(container)}
    differ = _limits({name: text for name, text in given.items() if text.strip() != first[name]})
    if not differ:
        raise InvalidInput("nothing differs", hint="esc cancels")
    limits(differ)
    return differ


def commit_fields(container: Container) -> list[Field]:
    """Return the fields of a commit: the image's name, a comment, and whether to pause."""
    return [
        Field(name="image", hint=f"e.g. {safe(container.name)}:fixed"),
        Field(name="comment"),
        Field(name=PAUSE, value="yes" if container.state.running else "no", hint="yes pauses it meanwhile"),
    ]


def commit_options(given: Mapping[str, str]) -> CommitOptions:
    """Return the options of a commit.

    Raises:
        InvalidInput: The name isn't valid.
    """
    from pyd_core.model.reference import parse  # noqa: PLC0415 - only here

    name = given["image"].strip()
    if not name:
        raise InvalidInput("an image needs a name", hint="such as web:fixed")
    parse(name)
    repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    pause = given[PAUSE].strip().casefold() not in {"no", "n", "false", "0"}
    return CommitOptions(repository=repository, tag=tag, comment=given["comment"], pause=pause)


def _limits(given: Mapping[str, str]) -> list[str]:
    return [f"{name}={given[name].strip()}" for name in LIMITS if given.get(name, "").strip()]


def _words(name: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}".lower(), hint="close the quotes") from error


def _env(text: str) -> dict[str, str | None]:
    environment: dict[str, str | None] = {}
    for word in _words("env", text):
        name, sets, value = word.partition("=")
        if sets and name:
            environment[name] = value
        elif word.startswith("-") and len(word) > 1:
            environment[word[1:]] = None
        else:
            raise InvalidInput(f"env: {safe(word)} sets nothing", hint="NAME=value sets one, -NAME removes one")
    return environment


def _ports(container: Container) -> list[str]:
    published: list[str] = []
    for inside, bindings in container.host_config.port_bindings.items():
        for binding in bindings or []:
            address = f"[{binding.host_ip}]" if ":" in binding.host_ip else binding.host_ip
            outside = f"{address}:{binding.host_port}" if binding.host_ip else binding.host_port
            published.append(f"{outside}:{inside.removesuffix('/tcp')}")
    return published


def _bindings(text: str) -> dict[str, Any]:
    bindings: dict[str, Any] = msgspec.to_builtins(parse_published(_words("ports", text)))
    return bindings
