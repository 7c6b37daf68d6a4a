"""Values of build options in the syntax of `docker buildx build`: outputs, caches, secrets, ssh agents."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pyd_core.buildkit.client.request import BuildOutput, CacheEntry
from pyd_core.buildkit.client.secrets import MAX_SECRET_BYTES, SecretSource
from pyd_core.buildkit.client.ssh_agent import DEFAULT_ID
from pyd_core.cliparse.fields import split_fields
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe

ENGINE_EXPORTER = "moby"
"""The exporter into the engine's own images."""
LAYOUT_TYPE = "oci-layout"
"""What `-o type=oci,tar=false` is called too."""
_FILE_TYPES = frozenset({"tar", "oci", "docker"})
_TYPES = _FILE_TYPES | {"local", "image", "registry", "cacheonly", ENGINE_EXPORTER, LAYOUT_TYPE}
_CACHE_TYPES = frozenset({"registry", "local", "inline", "gha", "s3", "azblob"})


LOCAL_CACHE_KEYS = {"--cache-from": "src", "--cache-to": "dest"}
"""The attribute with a local cache's directory, by option."""


def parse_output(text: str) -> tuple[BuildOutput | None, bool]:
    """Read an output.

    Returns:
        The output, None for `cacheonly`, and whether its image is to be pushed.

    Raises:
        InvalidInput: It can't be read, or lacks a destination.
    """
    short = {"type": "tar" if text == "-" else "local", "dest": text}
    fields = _fields(text, "--output") if "=" in text else short
    kind = fields.pop("type", "")
    if kind not in _TYPES:
        raise InvalidInput(
            f"--output {safe(text)}: unknown type {safe(kind)!r}", hint=f"known are {', '.join(sorted(_TYPES))}"
        )
    destination = fields.pop("dest", None) or fields.pop("destination", None)
    push = kind == "registry" or fields.pop("push", "false").lower() in {"true", "1"}
    if kind == LAYOUT_TYPE or (kind == "oci" and fields.get("tar", "").lower() in {"false", "0"}):
        if push or destination in {None, "-"}:
            raise InvalidInput(f"--output {safe(text)} needs a directory", hint="add dest=DIRECTORY")
        return BuildOutput(type="oci", attributes={**fields, "tar": "false"}, layout=Path(str(destination))), False
    if kind == "cacheonly":
        return None, False
    if kind in {"image", "registry", ENGINE_EXPORTER} or (kind == "docker" and destination is None):
        return BuildOutput(type=ENGINE_EXPORTER, attributes=fields), push
    if push:
        raise InvalidInput(f"--output {safe(text)}: only images can be pushed")
    if destination is None and kind == "local":
        raise InvalidInput(f"--output {safe(text)} needs a directory", hint="add dest=DIRECTORY")
    if kind == "local" and destination == "-":
        raise InvalidInput("a directory can't be written to standard output", hint="use type=tar")
    if kind in _FILE_TYPES and destination not in {None, "-"} and Path(str(destination)).is_dir():
        raise InvalidInput(f"--output {safe(text)}: {safe(str(destination))} is a directory", hint="name a file")
    return BuildOutput(type=kind, attributes=fields, destination=destination or "-"), False


def parse_caches(texts: Iterable[str], option: str) -> tuple[CacheEntry, ...]:
    """Read caches; a bare name is an image in a registry.

    Raises:
        InvalidInput: One can't be read.
    """
    entries = []
    for text in texts:
        fields = _fields(text, option) if "=" in text else {"type": "registry", "ref": text}
        kind = fields.pop("type", "registry")
        if kind not in _CACHE_TYPES:
            raise InvalidInput(f"{option} {safe(text)}: unknown type {safe(kind)!r}")
        if kind == "registry" and not fields.get("ref"):
            raise InvalidInput(f"{option} {safe(text)} needs an image", hint="add ref=IMAGE")
        if kind == "local" and not fields.get(LOCAL_CACHE_KEYS[option]):
            key = LOCAL_CACHE_KEYS[option]
            raise InvalidInput(f"{option} {safe(text)} needs a directory", hint=f"add {key}=DIRECTORY")
        entries.append(CacheEntry(kind, fields))
    return tuple(entries)


def parse_secrets(texts: Iterable[str], environment: Mapping[str, str]) -> dict[str, SecretSource]:
    """Read secrets; their files are checked here, so that a build doesn't fail on them after an hour.

    Raises:
        InvalidInput: One can't be read, or is too large.
        NotFound: Its file or variable doesn't exist.
    """
    sources: dict[str, SecretSource] = {}
    for text in texts:
        fields = _fields(text, "--secret")
        kind, path, variable = fields.get("type", ""), fields.get("src") or fields.get("source"), fields.get("env")
        secret_id = fields.get("id") or (Path(path).name if path else variable or "")
        if not secret_id or kind not in {"", "file", "env"} or (path and variable):
            raise InvalidInput(
                f"--secret {safe(text)} can't be read", hint="write id=NAME,src=FILE or id=NAME,env=VARIABLE"
            )
        if kind == "env" or variable or (not path and secret_id in environment):
            name = variable or path or secret_id
            if name not in environment:
                raise NotFound(f"--secret {safe(secret_id)}: the variable {safe(name)} isn't set")
            sources[secret_id] = SecretSource(variable=name)
        else:
            file = Path(path or secret_id)
            _check_secret(secret_id, file)
            sources[secret_id] = SecretSource(path=file)
    return sources


def _check_secret(secret_id: str, file: Path) -> None:
    try:
        size = file.stat().st_size
    except OSError as error:
        raise NotFound(f"--secret {safe(secret_id)}: {safe(str(file))}: {error.strerror}") from error
    if size > MAX_SECRET_BYTES:
        raise InvalidInput(f"--secret {safe(secret_id)}: {safe(str(file))} has more than {MAX_SECRET_BYTES} bytes")


def parse_agents(texts: Iterable[str], environment: Mapping[str, str]) -> dict[str, Path]:
    """Read ssh agents: `default`, or `ID=SOCKET`.

    Raises:
        InvalidInput: One isn't a socket.
        NotFound: No agent runs.
    """
    agents: dict[str, Path] = {}
    for text in texts:
        agent_id, _, value = text.partition("=")
        path = value or environment.get("SSH_AUTH_SOCK", "")
        if not path:
            raise NotFound("--ssh: no ssh agent runs", hint="start one with `eval $(ssh-agent)` and `ssh-add`")
        socket = Path(path)
        if not socket.exists():
            raise NotFound(f"--ssh {safe(text)}: {safe(path)} doesn't exist")
        if not socket.is_socket():
            raise InvalidInput(
                f"--ssh {safe(text)}: {safe(path)} isn't the socket of an agent",
                hint="load key files into an agent with ssh-add",
            )
        agents[agent_id or DEFAULT_ID] = socket
    return agents


def format_extra_hosts(texts: Iterable[str], gateway: str) -> str:
    """Return entries of /etc/hosts as the front end takes them: `host=address,…`.

    Args:
        texts: `HOST:ADDRESS` or `HOST=ADDRESS`.
        gateway: What `host-gateway` stands for.

    Raises:
        InvalidInput: One can't be read, or nothing is known for `host-gateway`.
    """
    pairs = []
    for text in texts:
        match = re.fullmatch(r"([^:=,\s]+)[:=]\[?([0-9A-Fa-f.:]+|host-gateway)\]?", text)
        if match is None:
            raise InvalidInput(f"--add-host {safe(text)} can't be read", hint="write HOST:ADDRESS")
        address = match[2]
        if address == "host-gateway":
            if not gateway:
                raise InvalidInput("--add-host: the builder has no host-gateway", hint="name the address")
            address = gateway
        pairs.append(f"{match[1]}={address}")
    return ",".join(pairs)


def environment_arguments(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return build arguments that the environment sets for every build."""
    values = os.environ if environment is None else environment
    return {name: values[name] for name in ("SOURCE_DATE_EPOCH",) if values.get(name)}


def _fields(text: str, option: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for field in split_fields(text):
        name, equals, value = field.partition("=")
        if not equals:
            raise InvalidInput(f"{option} {safe(text)}: {safe(field)!r} has no value", hint="write NAME=VALUE")
        fields[name.strip().lower() if not name.startswith("annotation") else name] = value
    return fields
