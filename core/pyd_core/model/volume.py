"""Volumes."""

from __future__ import annotations

from typing import ClassVar

from pyd_core.model.base import ApiStruct


class VolumeUsage(ApiStruct):
    """Disk usage of a volume; only from `GET /system/df`."""

    SPEC: ClassVar[str] = "Volume.UsageData"

    size: int = -1
    """Bytes; -1 if the driver doesn't report it."""
    ref_count: int = -1


class Volume(ApiStruct):
    """Named or anonymous volume."""

    SPEC: ClassVar[str] = "Volume"

    name: str
    driver: str = ""
    mountpoint: str = ""
    """The path on the engine's host."""
    created_at: str = ""
    labels: dict[str, str] = {}
    scope: str = ""
    options: dict[str, str] = {}
    usage_data: VolumeUsage | None = None


class VolumeList(ApiStruct):
    """Response to listing volumes."""

    SPEC: ClassVar[str] = "VolumeListResponse"

    volumes: list[Volume] = []
    warnings: list[str] | None = None


class VolumesPruned(ApiStruct):
    """Response to pruning volumes."""

    SPEC: ClassVar[str] = "POST /volumes/prune 200"

    volumes_deleted: list[str] = []
    space_reclaimed: int = 0
    """Bytes."""


class VolumeBody(ApiStruct):
    """Body of `POST /volumes/create`."""

    SPEC: ClassVar[str] = "VolumeCreateOptions"

    name: str = ""
    """Empty: the engine generates a name."""
    driver: str = "local"
    driver_opts: dict[str, str] = {}
    labels: dict[str, str] = {}
