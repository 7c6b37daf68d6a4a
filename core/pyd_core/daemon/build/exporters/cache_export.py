"""Cache exports: to registries, into images, to clients' directories."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon.build.exporters.packing import LayerPacker
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildProgress, BuildSession
from pyd_core.daemon.build.solver.cache_config import (
    MEDIA_TYPE,
    CacheConfig,
    TraceEntry,
    cache_of,
    encode_cache,
    encode_inline,
)
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.sources.image import login_for
from pyd_core.daemon.images.layers import StoredLayer
from pyd_core.daemon.images.manifests import OCI_MANIFEST, Document, layer_descriptor
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.registry_config import RegistrySettings
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.images.upload import put_manifest, upload_document, upload_stored
from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.reference import parse

INLINE = "inline"


class CacheExporter:
    """Exports the cache of a build."""

    def __init__(self, images: ImageStore, packer: LayerPacker, registries: RegistrySettings) -> None:
        self._images = images
        self._packer = packer
        self._registries = registries

    async def inline(self, ref: SolvedRef | None) -> str:
        """Return the cache of an image for its configuration: of the results that its own layers make up."""
        if ref is None:
            return ""
        stored = await self._stored(ref.result.layers)
        return encode_inline(cache_of(ref.trace, stored))

    async def export(
        self,
        entries: Iterable[control_pb2.CacheOptionsEntry],
        refs: Sequence[SolvedRef],
        *,
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> dict[str, str]:
        """Export to all places but images, and return what the client is to know.

        Raises:
            InvalidInput: A type is unknown, or an attribute is missing.
        """
        response: dict[str, str] = {}
        for entry in entries:
            attrs = dict(entry.Attrs)
            if entry.Type == INLINE:
                continue
            steps = ExportSteps(
                progress, "exporting cache to " + ("client directory" if entry.Type == "local" else "registry")
            )
            try:
                with steps.running():
                    response |= await self._export(entry.Type, attrs, refs, steps, session)
            except PydError:
                if attrs.get("ignore-error", "").lower() not in {"true", "1"}:
                    raise
        return response

    async def _export(
        self,
        kind: str,
        attrs: Mapping[str, str],
        refs: Sequence[SolvedRef],
        steps: ExportSteps,
        session: BuildSession | None,
    ) -> dict[str, str]:
        mode = attrs.get("mode", "min")
        if mode not in {"min", "max"}:
            raise InvalidInput(f"invalid cache mode {mode[:40]!r}: it is min or max")
        trace = list({entry.keys: entry for ref in refs for entry in ref.trace}.values())
        layers = {layer for ref in refs for layer in ref.result.layers}
        if mode == "max":
            layers |= {layer for entry in trace for output in entry.outputs for layer in output}
        with steps.step("preparing build cache for export"):
            config, stored = await self._config(trace, layers)
        document = Document(MEDIA_TYPE, encode_cache(config))
        manifest = _manifest(document, list(stored.values()))
        match kind:
            case "registry":
                if not attrs.get("ref"):
                    raise InvalidInput("the cache export to a registry has no ref")
                reference = parse(attrs["ref"])
                login = await login_for(session, reference)
                async with Registry(reference, login, self._registries) as registry:
                    for layer in stored.values():
                        with steps.step(f"writing layer {layer.blob}"):
                            await upload_stored(self._images, registry, layer.blob)
                    with steps.step(f"writing config {document.digest}"):
                        await upload_document(registry, document)
                    with steps.step(f"writing cache manifest {manifest.digest}"):
                        await put_manifest(registry, manifest.media, manifest.body, reference.tag or manifest.digest)
                return {}
            case "local":
                if session is None:
                    raise InvalidInput("this build has no session with a directory for its cache")
                store = session.content_store(f"local:{attrs.get('dest', '')}")
                for layer in stored.values():
                    with steps.step(f"writing layer {layer.blob}"):
                        await store.write(layer.blob, layer.packed, self._images.blobs.path(layer.blob))
                with steps.step(f"writing cache manifest {manifest.digest}"):
                    for item in (document, manifest):
                        await store.write(item.digest, len(item.body), item.body)
                return {"cache.manifest": json.dumps(manifest.descriptor())}
            case _:
                raise InvalidInput(f"caches of type {kind[:60]!r} aren't served", reference="unknown-cache")

    async def _config(
        self, trace: Sequence[TraceEntry], layers: Iterable[str]
    ) -> tuple[CacheConfig, dict[str, StoredLayer]]:
        stored = await self._stored(list(layers))
        config = cache_of(trace, stored)
        used = {layer.blob for layer in config.layers}
        return config, {layer.blob: layer for layer in stored.values() if layer.blob in used}

    async def _stored(self, layers: Sequence[str]) -> dict[str, StoredLayer]:
        diff_ids = await self._packer.diff_ids(tuple(layers))
        return {layer: self._images.layers.get(diff_id) for layer, diff_id in zip(layers, diff_ids, strict=True)}


def _manifest(config: Document, layers: Sequence[StoredLayer]) -> Document:
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": [layer_descriptor(layer, is_oci=True) for layer in layers],
    }
    return Document(OCI_MANIFEST, json.dumps(body).encode())
