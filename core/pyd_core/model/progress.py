"""What an engine tells while it pulls, pushes, loads or builds."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class ProgressDetail(ApiStruct, rename="lower"):
    """How far one layer is, in bytes."""

    SPEC: ClassVar[str] = "ProgressDetail"

    current: int = 0
    total: int = 0
    """0 where the size isn't known."""


class ErrorDetail(ApiStruct, rename="lower"):
    """Why it failed."""

    SPEC: ClassVar[str] = "ErrorDetail"

    code: int = 0
    """Of a build: the exit code of the step that failed."""
    message: str = ""


class Made(ApiStruct):
    """What came of it."""

    SPEC: ClassVar[str] = "ImageID"

    id: str = msgspec.field(name="ID", default="")
    """Of the image that was built."""


class Progress(ApiStruct, rename="camel"):
    """One line of the stream."""

    SPEC: ClassVar[str] = "BuildInfo"

    id: str = ""
    """The layer it is about; empty when it is about the whole."""
    status: str = ""
    """`Downloading`, `Extracting`, `Pull complete`, …"""
    progress_detail: ProgressDetail = ProgressDetail()
    stream: str = ""
    """What a build prints."""
    error: str = ""
    error_detail: ErrorDetail | None = None
    aux: Made | None = None
