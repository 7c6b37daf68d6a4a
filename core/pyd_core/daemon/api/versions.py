"""Creation requests of older API versions: later fields have no effect, or are refused.

The rules are those of Docker Engine's `postContainersCreate`.
"""

from __future__ import annotations

from typing import Any

from pyd_core.errors import InvalidInput

Version = tuple[int, int]


def as_of(plain: dict[str, Any], version: Version) -> None:
    """Change the body of a creation, in place, to its meaning in a version of the API.

    Args:
        plain: The parsed body, with its host configuration in `HostConfig`.
        version: The one its client speaks.

    Raises:
        InvalidInput: It asks for something that must not be passed over, and came later.
    """
    host = plain.get("HostConfig")
    if not isinstance(host, dict):
        return
    mounts = [mount for mount in host.get("Mounts") or [] if isinstance(mount, dict)]
    if version < (1, 25):
        host["AutoRemove"] = False
    if version < (1, 40):
        _forget(mounts, "BindOptions", "NonRecursive")
        host["IpcMode"] = host.get("IpcMode") or "shareable"
    if version < (1, 41):
        host["CgroupnsMode"] = host.get("CgroupnsMode") or "host"
    if version < (1, 42):
        _forget(mounts, "BindOptions", "CreateMountpoint")
        for kind in ("Volume", "Tmpfs"):
            for mount in mounts:
                if mount.get("Type") != kind.lower():
                    mount.pop(f"{kind}Options", None)
        host["ConsoleSize"] = [0, 0]
    if version < (1, 43):
        host.pop("Annotations", None)
    if version < (1, 44):
        _before_1_44(plain, mounts)
    if version < (1, 45) and any((mount.get("VolumeOptions") or {}).get("Subpath") for mount in mounts):
        raise InvalidInput("VolumeOptions.Subpath needs API v1.45 or newer")


def _before_1_44(plain: dict[str, Any], mounts: list[dict[str, Any]]) -> None:
    if isinstance(plain.get("Healthcheck"), dict):
        plain["Healthcheck"].pop("StartInterval", None)
    if any((mount.get("BindOptions") or {}).get("ReadOnlyForceRecursive") for mount in mounts):
        raise InvalidInput("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer")
    networking = plain.get("NetworkingConfig")
    endpoints = networking.get("EndpointsConfig") if isinstance(networking, dict) else None
    if isinstance(endpoints, dict) and len(endpoints) > 1:
        raise InvalidInput(f"Container cannot be created with multiple network endpoints: {', '.join(endpoints)[:400]}")


def _forget(mounts: list[dict[str, Any]], holder: str, name: str) -> None:
    for mount in mounts:
        if isinstance(mount.get(holder), dict):
            mount[holder].pop(name, None)
