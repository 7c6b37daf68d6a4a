"""Devices, GPUs and limits of block I/O."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.cliparse.fields import parse_int, parse_pairs, split_fields
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.model.resources import DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice
from pyd_core.sanitise import safe

ALL_DEVICES = -1


def parse_devices(texts: Iterable[str]) -> tuple[list[DeviceMapping], list[str]]:
    """Separate devices of the host (`/dev/a[:/dev/b][:rwm]`) from names of CDI devices (`vendor.example/class=name`).

    Raises:
        InvalidInput: A value can't be read.
    """
    devices, cdi_names = [], []
    for text in texts:
        if "=" in text and not text.startswith("/"):
            cdi_names.append(text)
            continue
        source, *rest = text.split(":")
        if not source or len(rest) > 2:
            raise InvalidInput(f"invalid device specification: {safe(text)}", hint="write /dev/a[:/dev/b][:rwm]")
        target, permissions = source, "rwm"
        if len(rest) == 2:
            target, permissions = rest[0], rest[1]
        elif rest and _are_permissions(rest[0]):
            permissions = rest[0]
        elif rest:
            target = rest[0]
        if not _are_permissions(permissions):
            raise InvalidInput(f"bad mode specified: {safe(permissions)}", hint="choose among r, w and m")
        devices.append(DeviceMapping(path_on_host=source, path_in_container=target, cgroup_permissions=permissions))
    return devices, cdi_names


def cdi_request(names: list[str]) -> DeviceRequest:
    """Return the request for CDI devices by name."""
    return DeviceRequest(driver="cdi", device_ids=names)


def parse_gpus(text: str) -> DeviceRequest:
    """Read `all`, a number, or fields: `device=0,driver=nvidia,"capabilities=gpu,utility",count=2`.

    Raises:
        InvalidInput: The text can't be read.
    """
    count: int | None = None
    ids: list[str] | None = None
    capabilities: list[str] = []
    driver = ""
    options: dict[str, str] = {}
    for index, field in enumerate(split_fields(text)):
        name, equals, value = field.partition("=")
        if not equals and index == 0:
            name, value = "count", field
        match name:
            case "count":
                count = ALL_DEVICES if value == "all" else parse_int(value, "count")
            case "driver":
                driver = value
            case "device":
                ids = value.split(",")
            case "capabilities":
                capabilities = value.split(",")
            case "options":
                options = parse_pairs(split_fields(value))
            case _:
                raise InvalidInput(f"unexpected key {safe(name)!r} in {safe(text)!r}")
    if count is None:
        count = 0 if ids else 1
    if "gpu" not in capabilities:
        capabilities.append("gpu")
    return DeviceRequest(driver=driver, count=count, device_ids=ids, capabilities=[capabilities], options=options)


def parse_weights(texts: Iterable[str]) -> list[WeightDevice]:
    """Read weights such as `/dev/sda:100`."""
    return [
        WeightDevice(path=path, weight=parse_int(value, "weight", minimum=0))
        for path, value in map(_split_device, texts)
    ]


def parse_rates(texts: Iterable[str], *, bytes: bool) -> list[ThrottleDevice]:
    """Read rates such as `/dev/sda:1mb`, or operations a second: `/dev/sda:1000`."""
    devices = []
    for path, value in map(_split_device, texts):
        rate = parse_size(value) if bytes else parse_int(value, "rate", minimum=0)
        devices.append(ThrottleDevice(path=path, rate=rate))
    return devices


def _split_device(text: str) -> tuple[str, str]:
    path, colon, value = text.partition(":")
    if not colon or not value:
        raise InvalidInput(f"bad format: {safe(text)!r}", hint="write /dev/NAME:VALUE")
    if not path.startswith("/dev/"):
        raise InvalidInput(f"bad format for device path: {safe(text)!r}", hint="write /dev/NAME:VALUE")
    return path, value


def _are_permissions(text: str) -> bool:
    return bool(text) and set(text) <= set("rwm") and len(set(text)) == len(text)
