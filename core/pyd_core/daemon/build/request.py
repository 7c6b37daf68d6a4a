"""Requests for builds by `/build`, and records of the progress stream."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.model.host_config import HostConfig
from pyd_core.model.reference import Reference

Record = dict[str, Any]
"""Record of a build's progress stream: `stream`, `aux`, or `error` with `errorDetail`."""


class ClassicBuildRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a build."""

    context: Path
    """The directory with the unpacked context."""
    dockerfile: str = "Dockerfile"
    """Its path in the context."""
    tags: list[Reference] = []
    arguments: Mapping[str, str | None] = {}
    labels: Mapping[str, str] = {}
    target: str = ""
    use_cache: bool = True
    cache_from: list[str] | None = None
    """The images whose steps count as a cache; None is every image."""
    keeps_successful: bool = False
    """Whether the containers of RUN steps are kept."""
    keeps_failed: bool = False
    """Whether the container of a RUN step that fails is kept."""
    pull: bool = False
    """Whether to ask registries for base images that exist locally."""
    platform: str = ""
    """The platform of stages that name none; empty is any."""
    host: HostConfig = HostConfig()
    """Limits and network of RUN steps."""


def stream_record(text: str) -> Record:
    """Return a record that shows a line."""
    return {"stream": text}


def failure_record(message: str, code: int = 0) -> Record:
    """Return a record that ends a build; the code becomes the client's exit code."""
    detail: Record = {"message": message, **({"code": code} if code else {})}
    return {"errorDetail": detail, "error": message}
