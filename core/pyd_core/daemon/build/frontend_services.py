"""Services of the engine for the Dockerfile front end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from pyd_core.buildkit.frontend.options import DEFAULT_DOCKERFILE
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.interfaces import BuildRef
from pyd_core.daemon.build.solver.sources.image import platform_text
from pyd_core.daemon.build.solver.sources.oci_layout import LayoutImage
from pyd_core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from pyd_core.daemon.build.build import Build

INPUT_METADATA_PREFIX = "input-metadata:"
"""Prefix of the attributes with the metadata of inputs, by name."""
CONFIG_KEY = "containerimage.config"


class EngineFrontendServices:
    """Implements `FrontendServices` for one run of the front end.

    Args:
        build: The build.
        attributes: The front end's attributes.
        inputs: Definitions that the client sent with its request.
    """

    def __init__(self, build: Build, attributes: Mapping[str, str], inputs: Mapping[str, ops_pb2.Definition]) -> None:
        self._build = build
        self._attributes = attributes
        self._inputs = inputs
        self._sources: dict[bytes, BuildRef | None] = {}

    async def image_config(
        self, reference: str, *, platform: ops_pb2.Platform, resolve_mode: str, log_name: str
    ) -> tuple[str, bytes]:
        """Return digest and configuration of an image.

        Raises:
            NotFound: No such image.
        """
        del log_name
        return await self._build.image_config(reference, platform=platform, resolve_mode=resolve_mode)

    async def layout_config(
        self, reference: str, *, platform: ops_pb2.Platform, session: str, store: str, log_name: str
    ) -> tuple[str, bytes]:
        """Return digest and configuration of an image in a client's OCI layout.

        Raises:
            NotFound: It is for another platform.
            InvalidInput: A document isn't what its digest says.
        """
        del log_name
        attrs = {"oci.session": session, "oci.store": store}
        image = LayoutImage.of_source(reference, attrs, platform_text(platform), self._build.session)
        return await image.config()

    async def read_file(
        self, definition: ops_pb2.Definition, path: str, *, max_bytes: int, start_only: bool = False
    ) -> bytes | None:
        """Return a file in the result of a definition, or None if there is none.

        Raises:
            InvalidInput: The file is longer.
        """
        key = definition.SerializeToString(deterministic=True)
        if key not in self._sources:  # a directory that several files are read of is transferred once
            self._sources[key] = await self._build.solve(definition)
        ref = self._sources[key]
        if ref is None:
            return None
        try:
            data = await ref.read_file(path, length=max_bytes + 1)
        except NotFound:
            return None
        if len(data) > max_bytes and not start_only:
            raise InvalidInput(f"{path[:100]} is longer than {max_bytes} bytes")
        if path == (self._attributes.get("filename") or DEFAULT_DOCKERFILE):
            self._build.file = ops_pb2.SourceInfo(filename=path, data=data, language="Dockerfile")
        return data[:max_bytes]

    async def input_definition(self, name: str) -> tuple[ops_pb2.Definition, bytes] | None:
        """Return an input that the client sent with the request, and its image's configuration or an empty value."""
        definition = self._inputs.get(name)
        if definition is None:
            return None
        text = self._attributes.get(f"{INPUT_METADATA_PREFIX}{name}", "")
        if not text:
            return definition, b""
        try:
            metadata = msgspec.json.decode(text, type=dict[str, bytes])
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInput(f"{INPUT_METADATA_PREFIX}{name[:60]}: {error}") from error
        return definition, metadata.get(CONFIG_KEY, b"")
