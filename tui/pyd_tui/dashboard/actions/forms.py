"""Forms about a container: what stands in them at first, and what is meant by what was filled in."""

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


def again_fields(found: Container) -> list[Field]:
    """Returns what can be changed before a container runs again."""
    return [
        Field(name="image", value=found.config.image),
        Field(name="command", value=shlex.join(found.config.cmd or []), hint="the image's own"),
        Field(name="env", hint="NAME=value sets one, -NAME takes one away"),
        Field(name="ports", value=" ".join(_ports(found)), hint="8080:80 127.0.0.1:5353:53/udp"),
        *limit_fields(found),
    ]


def again_changes(found: Container, given: Mapping[str, str]) -> Changes:
    """Returns what is different from the container as it is.

    Raises:
        InvalidInput: Something can't be read.
    """
    first = {field.name: field.value for field in again_fields(found)}
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


def limit_fields(found: Container | None = None) -> list[Field]:
    """Returns limits and the restart policy, as they are."""
    host = found.host_config if found is not None else None
    memory = f"{host.memory >> 20}m" if host and host.memory else ""
    cpus = f"{host.nano_cpus / 1e9:g}" if host and host.nano_cpus else ""
    pids = str(host.pids_limit) if host and host.pids_limit and host.pids_limit > 0 else ""
    restart = host.restart_policy.name if host else ""
    return [
        Field(name="memory", value=memory, hint="512m, 2g; empty leaves it"),
        Field(name="cpus", value=cpus, hint="1.5; empty leaves it"),
        Field(name="pids", value=pids, hint="100; -1 is no limit"),
        Field(name="restart", value=restart, hint="no, always, unless-stopped, on-failure:3"),
    ]


def limit_changes(found: Container | None, given: Mapping[str, str]) -> list[str]:
    """Returns the limits that differ, as `:update` takes them.

    Raises:
        InvalidInput: One can't be read, or nothing differs.
    """
    first = {field.name: field.value for field in limit_fields(found)}
    differ = _limits({name: text for name, text in given.items() if text.strip() != first[name]})
    if not differ:
        raise InvalidInput("nothing differs", hint="esc leaves it as it is")
    limits(differ)
    return differ


def commit_fields(found: Container) -> list[Field]:
    """Returns what an image of a container is to be called, and said of it."""
    return [
        Field(name="image", hint=f"{safe(found.name)}:fixed"),
        Field(name="comment"),
        Field(name="pause", value="yes" if found.state.running else "no", hint="yes holds it still meanwhile"),
    ]


def commit_options(given: Mapping[str, str]) -> CommitOptions:
    """Returns how to make the image.

    Raises:
        InvalidInput: It can't be called so.
    """
    from pyd_core.model.reference import parse  # noqa: PLC0415 - only here

    name = given["image"].strip()
    if not name:
        raise InvalidInput("an image needs a name", hint="such as web:fixed")
    parse(name)
    repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    pause = given["pause"].strip().casefold() not in {"no", "n", "false", "0"}
    return CommitOptions(repository=repository, tag=tag, comment=given["comment"], pause=pause)


def _limits(given: Mapping[str, str]) -> list[str]:
    return [f"{name}={given[name].strip()}" for name in LIMITS if given.get(name, "").strip()]


def _words(name: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}".lower(), hint="close the quotes") from error


def _env(text: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for word in _words("env", text):
        name, sets, value = word.partition("=")
        if sets and name:
            found[name] = value
        elif word.startswith("-") and len(word) > 1:
            found[word[1:]] = None
        else:
            raise InvalidInput(f"env: {safe(word)} sets nothing", hint="NAME=value sets one, -NAME takes one away")
    return found


def _ports(found: Container) -> list[str]:
    told: list[str] = []
    for inside, bindings in found.host_config.port_bindings.items():
        for binding in bindings or []:
            address = f"[{binding.host_ip}]" if ":" in binding.host_ip else binding.host_ip
            outside = f"{address}:{binding.host_port}" if binding.host_ip else binding.host_port
            told.append(f"{outside}:{inside.removesuffix('/tcp')}")
    return told


def _bindings(text: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(parse_published(_words("ports", text)))
    return found
