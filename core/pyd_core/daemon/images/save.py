"""`docker save`: images as an archive that Docker, Podman and skopeo load.

The archive is an OCI layout (image-layout.md) that also has Docker's `manifest.json`. Layers are included packed, as
stored.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pyd_core.daemon.images.names import familiar_name, full_name
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.daemon.images.tar_writer import TarWriter
from pyd_core.model.base import parse_time
from pyd_core.model.reference import IMAGE_ID, parse

MANIFEST_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
INDEX_MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+"


def build_manifest(images: ImageStore, record: ImageRecord) -> bytes:
    """Build an image's OCI manifest."""
    layers = [images.layers.get(diff_id) for diff_id in record.layers]
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA_TYPE,
        "config": {"mediaType": CONFIG_MEDIA_TYPE, "digest": record.id, "size": images.blobs.size(record.id)},
        "layers": [
            {
                "mediaType": LAYER_MEDIA_TYPE + ("zstd" if "zstd" in layer.media else "gzip"),
                "digest": layer.blob,
                "size": layer.packed,
            }
            for layer in layers
        ],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


def _name_annotations(name: str) -> dict[str, str]:
    return {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}


def write_archive(images: ImageStore, requested: list[tuple[str, ImageRecord]], packer: TarWriter) -> None:
    """Write the archive; slow, so call it in a worker thread.

    Args:
        images: The store.
        requested: Each image with the name in the request; an id saves none of its names.
        packer: The destination.
    """
    names: dict[str, list[str]] = {}
    records: dict[str, ImageRecord] = {}
    for name, record in requested:
        by_id = IMAGE_ID.fullmatch(name) and record.id.startswith(f"sha256:{name.removeprefix('sha256:')}")
        full_names = [] if by_id else [full_name(parse(name))]
        records[record.id] = record
        names.setdefault(record.id, []).extend(name for name in full_names if "@" not in name)
    written: set[str] = set()
    entries: list[dict[str, Any]] = []
    index: list[dict[str, Any]] = []
    for record in records.values():
        created = parse_time(images.config(record).created)
        layers = [images.layers.get(diff_id) for diff_id in record.layers]
        for digest in [record.id, *(layer.blob for layer in layers)]:
            if digest not in written:
                written.add(digest)
                packer.add_file(
                    _blob_path(digest), images.blobs.path(digest), mtime_ns=created if digest == record.id else None
                )
        text = build_manifest(images, record)
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        if digest not in written:
            written.add(digest)
            packer.add_bytes(_blob_path(digest), text)
        entry: dict[str, Any] = {"mediaType": MANIFEST_MEDIA_TYPE, "digest": digest, "size": len(text)}
        index += [{**entry, "annotations": _name_annotations(name)} for name in names[record.id]] or [entry]
        parent = {"Parent": record.parent} if record.parent in records else {}
        entries.append(
            {
                **parent,
                "Config": _blob_path(record.id),
                "RepoTags": [familiar_name(name) for name in names[record.id]],
                "Layers": [_blob_path(layer.blob) for layer in layers],
            }
        )
    packer.add_bytes("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    packer.add_bytes(
        "index.json", json.dumps({"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": index}).encode()
    )
    packer.add_bytes("manifest.json", json.dumps(entries).encode())
