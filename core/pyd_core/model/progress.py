"""Progress of pulls, pushes, loads and builds."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class ProgressDetail(ApiStruct, rename="lower"):
    """Progress of one layer, in bytes."""

    SPEC: ClassVar[str] = "ProgressDetail"

    current: int = 0
    total: int = 0
    """0 if the size is unknown."""


class ErrorDetail(ApiStruct, rename="lower"):
    """Error of the operation."""

    SPEC: ClassVar[str] = "ErrorDetail"

    code: int = 0
    """Exit code of the failed step of a build."""
    message: str = ""


class BuiltImage(ApiStruct):
    """Image that a build created."""

    SPEC: ClassVar[str] = "ImageID"

    id: str = msgspec.field(name="ID", default="")
    """The image's id."""


class Progress(ApiStruct, rename="camel"):
    """Line of a progress stream."""

    SPEC: ClassVar[str] = "BuildInfo"

    id: str = ""
    """The layer it is about; empty when it is about the image."""
    status: str = ""
    """`Downloading`, `Extracting`, `Pull complete`, …"""
    progress_detail: ProgressDetail = ProgressDetail()
    stream: str = ""
    """Output of a build."""
    error: str = ""
    error_detail: ErrorDetail | None = None
    aux: BuiltImage | None = None
