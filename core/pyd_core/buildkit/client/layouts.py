"""The image layouts of a build: base images, local caches, and results that are written as a layout."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.buildkit.client.oci_layout import DEFAULT_TAG, LayoutDirectory
from pyd_core.buildkit.client.request import BuildOutput, BuildRequest, BuildResult, CacheEntry
from pyd_core.errors import InvalidInput, NotFound, ProtocolError

SCHEME = "oci-layout://"
LOCAL = "local"
EXPORT_ID = "export"
"""The id of the store that the exporter `oci` fills with `tar=false`."""
IMAGE_DESCRIPTOR = "containerimage.descriptor"
CACHE_DESCRIPTOR = "cache.manifest"


class BlobDescriptor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An entry of an index, without what a builder adds to it."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = {}
    platform: dict[str, Any] = {}


class BuildLayouts:
    """Collects the layouts of a build.

    Attributes:
        by_id: The layouts, by the ids of their content stores.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, LayoutDirectory] = {}

    def add_context(self, value: str) -> str:
        """Add a named context, `oci-layout://DIRECTORY[:TAG][@DIGEST]`; return it as the front end takes it.

        Raises:
            NotFound: There is no such layout or image.
            InvalidInput: It can't be read.
        """
        text, _, digest = value.removeprefix(SCHEME).partition("@")
        directory, colon, tag = text.rpartition(":")
        if not colon or "/" in tag:
            directory, tag = text, ""
        layout = LayoutDirectory(Path(directory))
        if not digest:
            digest = layout.find(tag)
        elif (fd := layout.open(digest)) is None:
            raise NotFound(f"{directory} has no image {digest}", reference="no-such-layout")
        else:
            os.close(fd)
        store = secrets.token_hex(12)
        self.by_id[f"oci:{store}"] = layout
        return f"{SCHEME}{store}:{tag or DEFAULT_TAG}@{digest}"

    def add_imports(self, entries: Sequence[CacheEntry]) -> tuple[CacheEntry, ...]:
        """Return the caches to import, with the digests of local ones; those that don't exist yet are left out."""
        chosen = []
        for entry in entries:
            if entry.type == LOCAL:
                directory, digest = entry.attributes["src"], entry.attributes.get("digest", "")
                layout = LayoutDirectory(Path(directory))
                if not digest and not layout.path.is_dir():
                    continue  # the first build fills it
                digest = digest or layout.find(entry.attributes.get("tag", ""))
                self.by_id.setdefault(f"{LOCAL}:{directory}", layout)
                chosen.append(CacheEntry(LOCAL, {**entry.attributes, "digest": digest}))
            else:
                chosen.append(entry)
        return tuple(chosen)

    def add_exports(self, entries: Sequence[CacheEntry]) -> tuple[CacheEntry, ...]:
        """Return the caches to export; the directories of local ones become writable."""
        for entry in entries:
            if entry.type == LOCAL:
                directory = entry.attributes["dest"]
                self.by_id[f"{LOCAL}:{directory}"] = LayoutDirectory(Path(directory), is_writable=True)
        return tuple(entries)

    def add_outputs(self, outputs: Sequence[BuildOutput]) -> None:
        """Add the layout that a build writes.

        Raises:
            InvalidInput: There are several.
        """
        layouts = [output.layout for output in outputs if output.layout is not None]
        if len(layouts) > 1:
            raise InvalidInput("a build writes one OCI layout at a time")
        for path in layouts:
            self.by_id[EXPORT_ID] = LayoutDirectory(path, is_writable=True)


def write_indexes(request: BuildRequest, result: BuildResult) -> None:
    """Enter what a build has written into the indexes of its layouts.

    Raises:
        ProtocolError: The builder doesn't say what it has written, or hasn't sent it.
    """
    for output in request.outputs:
        if output.layout is not None:
            text = result.metadata.get(IMAGE_DESCRIPTOR, "")
            try:
                body = base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ProtocolError("the builder doesn't describe the image that it has written") from error
            names = [name for name in output.attributes.get("name", "").split(",") if name]
            _put(request.layouts[EXPORT_ID], body, names)
    for entry in request.cache_exports:
        if entry.type == LOCAL:
            layout = request.layouts[f"{LOCAL}:{entry.attributes['dest']}"]
            body = result.metadata.get(CACHE_DESCRIPTOR, "").encode()
            _put(layout, body, (), tag=entry.attributes.get("tag", DEFAULT_TAG))


def _put(layout: LayoutDirectory, body: bytes, names: Sequence[str], tag: str = DEFAULT_TAG) -> None:
    try:
        descriptor = msgspec.json.decode(body, type=BlobDescriptor)
        fd = layout.open(descriptor.digest)
    except (msgspec.DecodeError, RecursionError, InvalidInput) as error:
        raise ProtocolError("the builder doesn't describe what it has written into the OCI layout") from error
    if fd is None:
        raise ProtocolError("the builder has not sent what it describes for the OCI layout")
    os.close(fd)
    layout.put(msgspec.to_builtins(descriptor), names, tag=tag)
