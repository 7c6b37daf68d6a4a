"""Services of an engine for the front end, with images that tests declare."""

# ruff: noqa: ARG002 - the protocol has more arguments than a test's images need

from __future__ import annotations

import msgspec

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.errors import NotFound

DIGEST = f"sha256:{'a' * 64}"


class DeclaredImages:
    """Services whose images, files and inputs are those of a test."""

    def __init__(self) -> None:
        self.images: dict[str, dict[str, object]] = {}
        self.requests: list[str] = []

    async def image_config(
        self, reference: str, *, platform: ops_pb2.Platform, resolve_mode: str, log_name: str
    ) -> tuple[str, bytes]:
        self.requests.append(reference)
        config = self.images.get(reference)
        if config is None:
            raise NotFound(f"no such image: {reference}")
        rootfs = {"type": "layers", "diff_ids": [DIGEST]}
        image = {"architecture": platform.Architecture, "os": platform.OS, "config": config, "rootfs": rootfs}
        return DIGEST, msgspec.json.encode(image)

    async def layout_config(
        self, reference: str, *, platform: ops_pb2.Platform, session: str, store: str, log_name: str
    ) -> tuple[str, bytes]:
        return await self.image_config(reference, platform=platform, resolve_mode="", log_name=log_name)

    async def read_file(
        self, definition: ops_pb2.Definition, path: str, *, max_bytes: int, start_only: bool = False
    ) -> bytes | None:
        return None

    async def input_definition(self, name: str) -> tuple[ops_pb2.Definition, bytes] | None:
        return None
