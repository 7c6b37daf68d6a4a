"""The body of `POST /containers/create` as clients write it, before it is decoded."""

from __future__ import annotations

from typing import Any

import msgspec

from pyd_core.daemon.api.response_types import NULL_WHEN_UNSET
from pyd_core.errors import InvalidInput
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig

_CONFIG = {field.encode_name for field in msgspec.structs.fields(CreateBody)} - {"HostConfig", "NetworkingConfig"}
_HOST = {field.encode_name for field in msgspec.structs.fields(HostConfig)}
_HOST_BESIDE = ("Memory", "MemorySwap", "CpuShares", "CpusetCpus", "VolumeDriver")
_WORDS = ("Cmd", "Entrypoint", "Shell")
_HOST_WORDS = ("CapAdd", "CapDrop")


def check_config(plain: Any) -> None:
    """Refuse a body without a container configuration.

    Raises:
        InvalidInput: It doesn't, or isn't an object.
    """
    if plain is not None and not isinstance(plain, dict):
        raise InvalidInput("invalid JSON: the body is no object")
    if plain is None or not _CONFIG & plain.keys():
        raise InvalidInput("config cannot be empty in order to create a container")


def gather_host_config(plain: Any) -> None:
    """Move host settings from the body's top level, where the oldest clients write them, into `HostConfig`.

    If the body has no `HostConfig`, all of them are moved; else only those that Docker Engine still reads there.
    """
    host = plain.get("HostConfig")
    if host is None:
        plain["HostConfig"] = {name: plain[name] for name in _HOST if plain.get(name) is not None}
        host = plain["HostConfig"]
    elif isinstance(host, dict):
        for name in _HOST_BESIDE:
            if plain.get(name) and not host.get(name):
                host[name] = plain[name]
    if isinstance(host, dict) and plain.get("Cpuset") and not host.get("CpusetCpus"):
        host["CpusetCpus"] = plain["Cpuset"]


def listed(plain: Any) -> None:
    """Make lists, in place, of fields that clients may write as one text: `"Cmd": "ls"`."""
    host = plain.get("HostConfig")
    for holder, names in ((plain, _WORDS), (host, _HOST_WORDS)):
        for name in names if isinstance(holder, dict) else ():
            if isinstance(holder.get(name), str):
                holder[name] = [holder[name]]


def sent_empty(plain: Any) -> list[str]:
    """Return the fields of the host configuration that were sent as an empty list or map.

    Docker Engine shows those as they were sent, and the same fields as null where they were left out.
    """
    host = plain.get("HostConfig")
    if not isinstance(host, dict):
        return []
    return [name for name in NULL_WHEN_UNSET if name != "Links" and host.get(name) in ([], {})]
