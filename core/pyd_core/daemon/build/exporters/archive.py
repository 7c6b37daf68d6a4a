"""The exporters `oci` and `docker`: images as an archive, an OCI layout (image-layout.md of the OCI image spec)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyd_core.daemon.build.exporters import manifests
from pyd_core.daemon.build.exporters.image import ImageWriter, configs_of, names_of
from pyd_core.daemon.build.exporters.manifests import Annotations, Document
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildSession, FrontendResult
from pyd_core.daemon.images import tar_writer
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.daemon.images.tar_writer import TarWriter
from pyd_core.errors import InvalidInput, Unsupported


@dataclass(frozen=True)
class _Archive:
    documents: list[Document]
    layers: dict[str, str]
    """Diff ids by the digest of the packed form."""
    index: list[dict[str, Any]]
    docker_manifest: bytes = b""


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
    ) -> dict[str, str]:
        """Send an archive and return the exporter's response.

        Raises:
            InvalidInput: There is no client, or a Docker archive can't have what the result has.
            Unsupported: The client wants a directory.
        """
        if session is None:
            raise InvalidInput("this build has no session that an archive could be sent to")
        if attrs.get("tar", "true").lower() in {"false", "0"}:
            raise Unsupported(
                "an image is exported as an archive only", hint="leave tar=false out", reference="not-served"
            )
        if is_docker and len(result.refs) > 1:
            raise InvalidInput("the docker exporter writes one platform", hint="export type=oci")
        is_oci = attrs.get("oci-mediatypes", "true" if not is_docker else "false").lower() not in {"false", "0"}
        records = [
            (platform, await self._writer.write(ref, config, steps, attrs))
            for platform, ref, config in configs_of(result)
        ]
        names = names_of(attrs)
        with self._images.hold([record.id for _, record in records]):
            archive, top = self._plan(
                records, attrs, is_oci=is_oci, names=[str(name) for name in names], is_docker=is_docker
            )
            with steps.step(f"exporting manifest {top.digest}"):
                pass
            config_digest = records[0][1].id
            response = {"containerimage.digest": top.digest}
            if len(records) == 1:
                response["containerimage.config.digest"] = config_digest
            if names:
                response["image.name"] = ",".join(f"{name.repository}:{name.tag}" for name in names)
            with steps.step("sending tarball"):
                await session.send_file(
                    tar_writer.stream_tar(lambda packer: self._write(packer, archive)), response, exporter=number
                )
        return response

    def _plan(
        self,
        records: list[tuple[str, ImageRecord]],
        attrs: Mapping[str, str],
        *,
        is_oci: bool,
        names: list[str],
        is_docker: bool,
    ) -> tuple[_Archive, Document]:
        documents: list[Document] = []
        layers: dict[str, str] = {}
        descriptors: list[dict[str, Any]] = []
        paths: list[str] = []
        for platform, record in records:
            annotations = Annotations.parse(attrs, platform)
            config = self._images.blobs.read(record.id)
            stored = [self._images.layers.get(diff_id) for diff_id in record.layers]
            layers |= {layer.blob: layer.blob for layer in stored}
            paths = [_path(layer.blob) for layer in stored]
            document = manifests.manifest(config, stored, is_oci=is_oci, annotations=annotations)
            documents += [Document("", config), document]
            extra = annotations.fields("manifest-descriptor")
            descriptors.append(
                document.descriptor(
                    **({"platform": manifests.platform_of(config)} if len(records) > 1 else {}), **extra
                )
            )
        top = documents[-1]
        if len(records) > 1:
            top = manifests.index(descriptors, is_oci=is_oci, annotations=Annotations.parse(attrs))
            documents.append(top)
            descriptors = [top.descriptor(**Annotations.parse(attrs).fields("index-descriptor"))]
        docker = b""
        if is_docker:
            docker = json.dumps(
                [{"Config": _path(records[0][1].id), "RepoTags": names or None, "Layers": paths}]
            ).encode()
        return _Archive(documents, layers, _named(descriptors, names), docker), top

    def _write(self, packer: TarWriter, archive: _Archive) -> None:
        written: set[str] = set()
        for digest in archive.layers:
            packer.add_file(_path(digest), self._images.blobs.path(digest))
            written.add(digest)
        for document in archive.documents:
            if document.digest not in written:
                written.add(document.digest)
                packer.add_bytes(_path(document.digest), document.body)
        body = {"schemaVersion": 2, "mediaType": manifests.OCI_INDEX, "manifests": archive.index}
        packer.add_bytes("index.json", json.dumps(body).encode())
        if archive.docker_manifest:
            packer.add_bytes("manifest.json", archive.docker_manifest)
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
