"""Devices, GPUs and limits of block I/O."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.cliparse.fields import number, pairs, split_fields
from pyd_core.cliparse.sizes import parse_size
from pyd_core.errors import InvalidInput
from pyd_core.model.resources import DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice
from pyd_core.sanitise import safe

ALL = -1


def parse_devices(given: Iterable[str]) -> tuple[list[DeviceMapping], list[str]]:
    """Separate devices of the host (`/dev/a[:/dev/b][:rwm]`) from names of CDI devices (`vendor.example/class=name`).

    Raises:
        InvalidInput: A value can't be read.
    """
    devices, named = [], []
    for text in given:
        if "=" in text and not text.startswith("/"):
            named.append(text)
            continue
        source, *rest = text.split(":")
        if not source or len(rest) > 2:
            raise InvalidInput(f"invalid device specification: {safe(text)}", hint="write /dev/a[:/dev/b][:rwm]")
        target, rights = source, "rwm"
        if len(rest) == 2:
            target, rights = rest[0], rest[1]
        elif rest and _are_rights(rest[0]):
            rights = rest[0]
        elif rest:
            target = rest[0]
        if not _are_rights(rights):
            raise InvalidInput(f"bad mode specified: {safe(rights)}", hint="choose among r, w and m")
        devices.append(DeviceMapping(path_on_host=source, path_in_container=target, cgroup_permissions=rights))
    return devices, named


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
    for place, field in enumerate(split_fields(text)):
        name, equals, value = field.partition("=")
        if not equals and place == 0:
            name, value = "count", field
        match name:
            case "count":
                count = ALL if value == "all" else number(value, "count")
            case "driver":
                driver = value
            case "device":
                ids = value.split(",")
            case "capabilities":
                capabilities = value.split(",")
            case "options":
                options = pairs(split_fields(value))
            case _:
                raise InvalidInput(f"unexpected key {safe(name)!r} in {safe(text)!r}")
    if count is None:
        count = 0 if ids else 1
    if "gpu" not in capabilities:
        capabilities.append("gpu")
    return DeviceRequest(driver=driver, count=count, device_ids=ids, capabilities=[capabilities], options=options)


def parse_weights(given: Iterable[str]) -> list[WeightDevice]:
    """Read weights such as `/dev/sda:100`."""
    return [WeightDevice(path=path, weight=number(value, "weight", least=0)) for path, value in map(_device, given)]


def parse_rates(given: Iterable[str], *, bytes: bool) -> list[ThrottleDevice]:
    """Read rates such as `/dev/sda:1mb`, or operations a second: `/dev/sda:1000`."""
    found = []
    for path, value in map(_device, given):
        rate = parse_size(value) if bytes else number(value, "rate", least=0)
        found.append(ThrottleDevice(path=path, rate=rate))
    return found


def _device(text: str) -> tuple[str, str]:
    path, colon, value = text.partition(":")
    if not colon or not value:
        raise InvalidInput(f"bad format: {safe(text)!r}", hint="write /dev/NAME:VALUE")
    if not path.startswith("/dev/"):
        raise InvalidInput(f"bad format for device path: {safe(text)!r}", hint="write /dev/NAME:VALUE")
    return path, value


def _are_rights(text: str) -> bool:
    return bool(text) and set(text) <= set("rwm") and len(set(text)) == len(text)
