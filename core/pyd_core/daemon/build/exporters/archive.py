"""The exporters `oci` and `docker`: images as an archive, an OCI layout (image-layout.md of the OCI image spec)."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pyd_core.daemon.build.exporters.attester import Attester
from pyd_core.daemon.build.exporters.image import ImageWriter, names_of
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildSession, FrontendResult
from pyd_core.daemon.build.session.content_store import ContentStore
from pyd_core.daemon.images import tar_writer
from pyd_core.daemon.images.image_documents import ImageDocuments, documents_of
from pyd_core.daemon.images.manifests import OCI_INDEX, Annotations
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.images.tar_writer import TarWriter
from pyd_core.errors import Conflict, InvalidInput, NotFound

LAYOUT_STORE = "export"
"""The content store of a client that takes a directory."""


class ArchiveExporter:
    """Sends images as archives."""

    def __init__(self, images: ImageStore, writer: ImageWriter) -> None:
        self._images = images
        self._writer = writer

    async def export(
        self,
        result: FrontendResult,
        attrs: Mapping[str, str],
        steps: ExportSteps,
        session: BuildSession | None,
        *,
        is_docker: bool,
        number: int = 0,
        attester: Attester | None = None,
    ) -> dict[str, str]:
        """Send an archive and return the exporter's response.

        Raises:
            InvalidInput: There is no client, or a Docker archive can't have what the result has.
        """
        if session is None:
            raise InvalidInput("this build has no session that an archive could be sent to")
        attester = attester if attester is not None and not (is_docker and attester.is_inline_only) else None
        if is_docker and (len(result.refs) > 1 or attester is not None):
            raise InvalidInput(
                "docker exporter does not currently support exporting manifest lists", hint="export type=oci"
            )
        is_oci = attrs.get("oci-mediatypes", "true" if not is_docker else "false").lower() not in {"false", "0"}
        earlier = {record.id for record in self._images.all()}
        parts = await self._writer.write_all(result, attrs, steps, attester)
        names = names_of(attrs)
        with self._images.hold([part.image_id for part in parts]):
            documents = documents_of(
                self._images,
                parts,
                names=names,
                is_oci=is_oci,
                annotations=lambda platform: Annotations.parse(attrs, platform),
            )
            top = documents.top
            with steps.step(f"exporting manifest {top.digest}"):
                pass
            response = {
                "containerimage.digest": top.digest,
                "containerimage.descriptor": base64.b64encode(json.dumps(top.descriptor()).encode()).decode(),
            }
            if len(parts) == 1:
                response["containerimage.config.digest"] = parts[0].image_id
            texts = [f"{name.repository}:{name.tag}" for name in names]
            if texts:
                response["image.name"] = ",".join(texts)
            docker = self._docker_manifest(parts[0].image_id, [str(name) for name in names]) if is_docker else b""
            if attrs.get("tar", "true").lower() in {"false", "0"}:
                await self._fill_layout(session.content_store(LAYOUT_STORE), documents, steps)
            else:
                with steps.step("sending tarball"):
                    chunks = tar_writer.stream_tar(lambda packer: self._write(packer, documents, texts, docker))
                    await session.send_file(chunks, response, exporter=number)
        await self._remove_unnamed({part.image_id for part in parts} - earlier)
        return response

    async def _fill_layout(self, store: ContentStore, documents: ImageDocuments, steps: ExportSteps) -> None:
        """Write everything into the client's layout, whose index the client writes itself."""
        for digest in documents.layers:
            with steps.step(f"writing layer {digest}"):
                await store.write(digest, self._images.blobs.size(digest), self._images.blobs.path(digest))
        with steps.step(f"writing manifest {documents.top.digest}"):
            for document in documents.all():
                await store.write(document.digest, len(document.body), document.body)

    async def _remove_unnamed(self, image_ids: Iterable[str]) -> None:
        """Remove the images again that only the archive needed; the layers stay in the build's cache."""
        for image_id in image_ids:
            with contextlib.suppress(NotFound, Conflict):  # another build took it, or a container uses it
                record = self._images.find(image_id)
                if not record.names and not record.digests and not self._images.is_needed(image_id):
                    await self._images.remove(image_id, force=False)

    def _docker_manifest(self, image_id: str, names: list[str]) -> bytes:
        record = self._images.find(image_id)
        paths = [_path(self._images.layers.get(diff_id).blob) for diff_id in record.layers]
        return json.dumps([{"Config": _path(image_id), "RepoTags": names or None, "Layers": paths}]).encode()

    def _write(self, packer: TarWriter, documents: ImageDocuments, names: list[str], docker_manifest: bytes) -> None:
        for digest in documents.layers:
            packer.add_file(_path(digest), self._images.blobs.path(digest))
        for document in documents.all():
            packer.add_bytes(_path(document.digest), document.body)
        body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": _named(documents.entries, names)}
        packer.add_bytes("index.json", json.dumps(body).encode())
        if docker_manifest:
            packer.add_bytes("manifest.json", docker_manifest)
        packer.add_bytes("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')


def _named(descriptors: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    if not names:
        return descriptors
    named: list[dict[str, Any]] = []
    for name in names:
        own = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
        named += [{**item, "annotations": {**item.get("annotations", {}), **own}} for item in descriptors]
    return named


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"
