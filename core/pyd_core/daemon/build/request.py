"""What a build is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.model.host_config import HostConfig
from pyd_core.model.reference import Reference

Record = dict[str, Any]
"""One record of the stream a client follows a build by: `stream`, `aux`, or `error` with `errorDetail`."""

PROXIES = {name for each in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY") for name in (each, each.lower())}
"""Arguments that RUN steps know without ARG; images and the cache don't contain them unless ARG names them."""


class BuildRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How to build."""

    context: Path
    """The directory its context was unpacked into."""
    dockerfile: str = "Dockerfile"
    """Its path in the context."""
    tags: list[Reference] = []
    arguments: Mapping[str, str | None] = {}
    labels: Mapping[str, str] = {}
    target: str = ""
    use_cache: bool = True
    cache_from: list[str] | None = None
    """The images whose steps count as a cache; None is every image."""
    keep: bool = False
    """Keep the containers of RUN steps."""
    pull: bool = False
    """Ask registries for base images that are here already too."""
    host: HostConfig = HostConfig()
    """The limits and the network of RUN steps."""


def said(text: str) -> Record:
    """A record that shows a line."""
    return {"stream": text}


def failed(message: str, code: int = 0) -> Record:
    """A record that ends a build; a code is what the client's process ends with."""
    detail: Record = {"message": message, **({"code": code} if code else {})}
    return {"errorDetail": detail, "error": message}
