"""Devices as their vendors describe them: the Container Device Interface, `--device VENDOR/CLASS=NAME` and `--gpus`.

A specification is a JSON or YAML file in one of a few directories; a later directory goes before an earlier one.
See SPEC.md of github.com/cncf-tags/container-device-interface.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from pyd_core.daemon.containers import devices
from pyd_core.daemon.containers.oci_spec import device_rule
from pyd_core.daemon.runtime.planned_spec import PlannedDevice, PlannedSpec, PlannedSpecMount
from pyd_core.errors import InvalidInput
from pyd_core.model.resources import DeviceRequest

GPU_VENDORS = ("nvidia.com", "amd.com", "intel.com")
"""The vendors of graphics processors that `--gpus` prefers, in order."""


class CdiDeviceNode(msgspec.Struct, rename="camel"):
    """A device node."""

    path: str
    host_path: str = ""
    type: str = ""
    major: int | None = None
    minor: int | None = None
    file_mode: int | None = None
    permissions: str = "rwm"
    uid: int | None = None
    gid: int | None = None


class CdiMount(msgspec.Struct, rename="camel"):
    """A host directory or file that the container sees."""

    host_path: str
    container_path: str
    options: list[str] = []
    type: str = ""


class Hook(msgspec.Struct, rename="camel"):
    """A program the runtime runs; its fields besides the name are those of the runtime specification."""

    hook_name: Literal["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    path: str
    args: list[str] = []
    env: list[str] = []
    timeout: int | None = None


class Edits(msgspec.Struct, rename="camel"):
    """The changes that a device makes to a container's specification."""

    env: list[str] = []
    device_nodes: list[CdiDeviceNode] = []
    mounts: list[CdiMount] = []
    hooks: list[Hook] = []
    additional_gids: list[int] = msgspec.field(name="additionalGids", default_factory=list)


class CdiDevice(msgspec.Struct, rename="camel"):
    """A device, with its name within the kind."""

    name: str
    container_edits: Edits = msgspec.field(default_factory=Edits)


class Specification(msgspec.Struct, rename="camel"):
    """A file of specifications."""

    cdi_version: str = msgspec.field(name="cdiVersion")
    kind: str
    devices: list[CdiDevice]
    container_edits: Edits = msgspec.field(default_factory=Edits)


def find(requests: Sequence[DeviceRequest], directories: Sequence[str]) -> list[Edits]:
    """Return the edits of the requested devices, in their order; those that a file has for all its devices come once.

    Args:
        requests: `DeviceRequests` of the API.
        directories: Where the specifications are.

    Raises:
        InvalidInput: One is unknown, or of a driver that isn't here.
    """
    if not requests:
        return []
    unread: list[str] = []
    known: dict[str, tuple[Specification, CdiDevice]] = {}
    for spec in _read(directories, unread):
        known |= {f"{spec.kind}={device.name}": (spec, device) for device in spec.devices}
    edits: list[Edits] = []
    common: list[Specification] = []
    for name in dict.fromkeys(name for request in requests for name in _names(request, list(known))):
        if name not in known:
            raise InvalidInput(
                f"CDI device injection failed: unresolvable CDI devices {name[:200]}",
                hint=f"{'; '.join(unread) or 'no file'} in {' or '.join(directories)} describes it",
            )
        described, device = known[name]
        if not any(described is other for other in common):
            common.append(described)
            edits.append(described.container_edits)
        edits.append(device.container_edits)
    return edits


def _read(directories: Sequence[str], unread: list[str]) -> Iterator[Specification]:
    for directory in directories:
        for path in sorted(Path(directory).glob("*")):
            if path.suffix not in {".json", ".yaml", ".yml"}:
                continue
            try:
                data = path.read_bytes()
                yield msgspec.json.decode(data, type=Specification) if path.suffix == ".json" else _yaml(data)
            except (OSError, msgspec.DecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                unread.append(f"{path.name} can't be read ({why}), and nothing else")


def _yaml(data: bytes) -> Specification:
    import yaml  # noqa: PLC0415 - 20 ms that are spent only where a vendor writes YAML

    try:
        parsed = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise msgspec.DecodeError(" ".join(str(error).split())) from error
    for device in parsed.get("devices") or [] if isinstance(parsed, dict) else []:
        if isinstance(device, dict) and isinstance(device.get("name"), int):
            device["name"] = str(device["name"])  # `name: 0`, as the first of several is written by hand
    return msgspec.convert(parsed, Specification)


def _names(request: DeviceRequest, known: list[str]) -> list[str]:
    if request.driver == "cdi":
        return request.device_ids or []
    gpus = [name for name in known if name.partition("=")[0].endswith("/gpu")]
    if request.driver or not any("gpu" in group for group in request.capabilities) or not gpus:
        shown_capabilities = str(request.capabilities).replace("'", "")
        raise InvalidInput(
            f'could not select device driver "{request.driver[:60]}" with capabilities: {shown_capabilities[:200]}',
            hint="GPUs are found by their CDI specification, as nvidia-ctk cdi generate writes one",
        )
    vendors = [*(f"{vendor}/gpu" for vendor in GPU_VENDORS), gpus[0].partition("=")[0]]
    kind = next(vendor for vendor in vendors if any(name.startswith(f"{vendor}=") for name in gpus))
    if request.device_ids:
        return [f"{kind}={number}" for number in request.device_ids]
    own = [name for name in gpus if name.startswith(f"{kind}=")]
    if request.count < 0:
        return [f"{kind}=all"] if f"{kind}=all" in own else own
    return [f"{kind}={number}" for number in range(request.count or 1)]


def apply(planned: PlannedSpec, edits: Sequence[Edits]) -> None:
    """Apply edits to a planned specification.

    Raises:
        InvalidInput: A device node isn't there.
    """
    process, linux = planned["process"], planned["linux"]
    for edit in edits:
        changed = {entry.partition("=")[0] for entry in edit.env}
        process["env"] = [entry for entry in process["env"] if entry.partition("=")[0] not in changed] + edit.env
        for node in edit.device_nodes:
            device_node = _node(node)
            devices = [device for device in linux.get("devices", []) if device["path"] != node.path]
            linux["devices"] = [*devices, device_node]
            linux["resources"]["devices"].append(device_rule(device_node, node.permissions or "rwm"))
        for mount in edit.mounts:
            planned["mounts"].append(_mount(mount))
        for hook in edit.hooks:
            hook_fields = {
                key: value for key, value in msgspec.to_builtins(hook).items() if key != "hookName" and value
            }
            planned.setdefault("hooks", {}).setdefault(hook.hook_name, []).append(hook_fields)
        if edit.additional_gids:
            user = process["user"]
            groups = [*user.get("additionalGids", []), *(gid for gid in edit.additional_gids if gid)]
            user["additionalGids"] = list(dict.fromkeys(groups))


def _node(node: CdiDeviceNode) -> PlannedDevice:
    source = node.host_path or node.path
    known = node.type and node.major is not None and node.minor is not None
    planned: PlannedDevice = {"path": node.path} if known else devices.device(source, node.path)
    if node.type:
        planned["type"] = node.type
    if node.major is not None:
        planned["major"] = node.major
    if node.minor is not None:
        planned["minor"] = node.minor
    if node.file_mode is not None:
        planned["fileMode"] = node.file_mode
    if node.uid is not None:
        planned["uid"] = node.uid
    if node.gid is not None:
        planned["gid"] = node.gid
    return planned


def _mount(mount: CdiMount) -> PlannedSpecMount:
    kind, options = mount.type or "bind", list(mount.options)
    if kind == "bind" and not {"bind", "rbind"} & set(options):
        options.append("rbind")
    return {
        "destination": os.path.normpath(mount.container_path),
        "type": kind,
        "source": mount.host_path,
        "options": options,
    }
