"""`docker save`: images as an archive that Docker, Podman and skopeo load.

The archive is an OCI layout (image-layout.md) that also has Docker's `manifest.json`. Layers are included packed, as
stored.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pyd_core.daemon.images.store import ImageRecord, ImageStore, familiar, full_name
from pyd_core.daemon.images.tar_writer import Packer
from pyd_core.model.base import parse_time
from pyd_core.model.reference import IMAGE_ID, parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+"


def manifest(images: ImageStore, record: ImageRecord) -> bytes:
    """Build an image's OCI manifest."""
    layers = [images.layers.get(diff_id) for diff_id in record.layers]
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": record.id, "size": images.blobs.size(record.id)},
        "layers": [
            {
                "mediaType": LAYER + ("zstd" if "zstd" in each.media else "gzip"),
                "digest": each.blob,
                "size": each.packed,
            }
            for each in layers
        ],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


def _named(name: str) -> dict[str, str]:
    return {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}


def write(images: ImageStore, wanted: list[tuple[str, ImageRecord]], packer: Packer) -> None:
    """Write the archive; slow, so call it in a worker thread.

    Args:
        images: The store.
        requested: Each image with the name in the request; an id saves none of its names.
        packer: The destination.
    """
    names: dict[str, list[str]] = {}
    records: dict[str, ImageRecord] = {}
    for name, record in wanted:
        by_id = IMAGE_ID.fullmatch(name) and record.id.startswith(f"sha256:{name.removeprefix('sha256:')}")
        found = [] if by_id else [full_name(parse(name))]
        records[record.id] = record
        names.setdefault(record.id, []).extend(each for each in found if "@" not in each)
    done: set[str] = set()
    listed: list[dict[str, Any]] = []
    index: list[dict[str, Any]] = []
    for record in records.values():
        created = parse_time(images.file(record).created)
        layers = [images.layers.get(diff_id) for diff_id in record.layers]
        for digest in [record.id, *(each.blob for each in layers)]:
            if digest not in done:
                done.add(digest)
                packer.file(_blob(digest), images.blobs.path(digest), mtime_ns=created if digest == record.id else None)
        text = manifest(images, record)
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        if digest not in done:
            done.add(digest)
            packer.bytes(_blob(digest), text)
        entry: dict[str, Any] = {"mediaType": MANIFEST, "digest": digest, "size": len(text)}
        index += [{**entry, "annotations": _named(each)} for each in names[record.id]] or [entry]
        listed.append(
            {
                "Config": _blob(record.id),
                "RepoTags": [familiar(each) for each in names[record.id]],
                "Layers": [_blob(each.blob) for each in layers],
            }
        )
    packer.bytes("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    packer.bytes("index.json", json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": index}).encode())
    packer.bytes("manifest.json", json.dumps(listed).encode())
