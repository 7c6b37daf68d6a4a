"""Attestations of images: in-toto statements, and the manifests that carry them in an image index.

The form is BuildKit's (`docs/attestations/attestation-storage.md`), which scanners and `docker buildx imagetools` read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pyd_core.daemon.images.manifests import OCI_CONFIG, OCI_MANIFEST, Document
from pyd_core.model.reference import Reference

STATEMENT_TYPE = "https://in-toto.io/Statement/v0.1"
PROVENANCE_TYPE = "https://slsa.dev/provenance/v0.2"
PROVENANCE_V1_TYPE = "https://slsa.dev/provenance/v1"
IN_TOTO = "application/vnd.in-toto+json"
UNKNOWN_PLATFORM = {"architecture": "unknown", "os": "unknown"}
"""The platform of attestation manifests: no engine chooses it to run."""
UNNAMED_SUBJECT = "_"


@dataclass(frozen=True)
class Attestation:
    """An attestation's documents.

    Attributes:
        blobs: Its configuration and statement.
        manifest: Its manifest.
        descriptor: Its entry in the index.
    """

    blobs: tuple[Document, ...]
    manifest: Document
    descriptor: dict[str, Any]


def package_url(kind: str, reference: Reference, platform: str) -> str:
    """Return the package URL of an image (purl-spec), such as `pkg:docker/debian@13?platform=linux%2Famd64`."""
    name, version = reference.familiar, reference.tag or reference.digest
    path = "/".join(quote(part, safe="") for part in name.split("/"))
    query = f"?platform={quote(platform, safe='')}" if platform else ""
    mark = f"@{quote(version, safe='')}" if version else ""
    return f"pkg:{kind}/{path}{mark}{query}"


def statement(predicate: bytes, predicate_type: str, subjects: Sequence[tuple[str, str]]) -> bytes:
    """Return a statement about subjects, each a name and a digest."""
    body = {
        "_type": STATEMENT_TYPE,
        "predicateType": predicate_type,
        "subject": [{"name": name, "digest": dict([digest.split(":", 1)])} for name, digest in subjects],
        "predicate": json.loads(predicate),
    }
    return json.dumps(body, indent=2).encode()


def attest(image: Document, predicate: bytes, predicate_type: str, names: Sequence[str]) -> Attestation:
    """Return the attestation of an image's manifest, for the package URLs of its names."""
    subjects = [(name, image.digest) for name in names or [UNNAMED_SUBJECT]]
    layer = Document(IN_TOTO, statement(predicate, predicate_type, subjects))
    config = {**UNKNOWN_PLATFORM, "config": {}, "rootfs": {"type": "layers", "diff_ids": [layer.digest]}}
    config_document = Document(OCI_CONFIG, json.dumps(config).encode())
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config_document.descriptor(),
        "layers": [layer.descriptor(annotations={"in-toto.io/predicate-type": predicate_type})],
    }
    manifest = Document(OCI_MANIFEST, json.dumps(body, indent=2).encode())
    marks = {
        "vnd.docker.reference.digest": image.digest,
        "vnd.docker.reference.type": "attestation-manifest",
    }
    descriptor = manifest.descriptor(annotations=marks, platform=UNKNOWN_PLATFORM)
    return Attestation((config_document, layer), manifest, descriptor)
