"""All exporters of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyd_core.buildkit.proto.control_pb2 import Exporter
from pyd_core.daemon.build.exporters.archive import ArchiveExporter
from pyd_core.daemon.build.exporters.attestation_options import provenance_options
from pyd_core.daemon.build.exporters.attester import Attester
from pyd_core.daemon.build.exporters.cache_export import INLINE, CacheExporter
from pyd_core.daemon.build.exporters.files import FileExporter
from pyd_core.daemon.build.exporters.image import EPOCH_KEY, INLINE_CACHE_ATTR, ImageWriter, configs_of
from pyd_core.daemon.build.exporters.packing import LayerPacker
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildProgress, BuildSession, ExportRequest, FrontendResult
from pyd_core.daemon.build.solver.solver import BuildSolver
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.errors import InvalidInput, Unsupported


@dataclass(frozen=True)
class _Work:
    """An export by one exporter."""

    result: FrontendResult
    attrs: Mapping[str, str]
    session: BuildSession | None
    progress: BuildProgress
    number: int
    attester: Attester | None


class BuildExporters:
    """Exports results; see `Exporters` in `daemon/build/interfaces.py`."""

    def __init__(self, solver: BuildSolver, events: ImageEvents) -> None:
        images = solver.images
        self.packer = LayerPacker(solver.snapshots, images.layers, images.blobs, solver.layer_sync)
        self._caches = CacheExporter(images, self.packer, solver.registries)
        self._images = ImageWriter(solver, events, self.packer, self._caches)
        self._archives = ArchiveExporter(images, self._images)
        self._files = FileExporter(solver.snapshots)

    async def export(
        self,
        request: ExportRequest,
        result: FrontendResult,
        *,
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> dict[str, str]:
        """Run a build's exporters, in their order, and return their responses.

        Raises:
            InvalidInput: An exporter is unknown, or its attributes are invalid.
        """
        options = provenance_options(request.frontend_attrs)
        if any(item.attestation for item in result.attestations.values()):
            raise Unsupported("attestations that a client makes aren't served", reference="unknown-attestation")
        attester = Attester(request, options) if options is not None else None
        response: dict[str, str] = {}
        for number, exporter in enumerate(request.exporters):
            work = _Work(result, _attrs(exporter, request), session, progress, number, attester)
            response |= await self._export(exporter.Type, work)
        if request.cache_exports:
            refs = [ref for _, ref, _ in configs_of(result) if ref is not None]
            response |= await self._caches.export(request.cache_exports, refs, session=session, progress=progress)
        return response

    async def _export(self, kind: str, work: _Work) -> Mapping[str, str]:
        names = {"oci": "oci image format", "docker": "docker image format", "tar": "client tarball"}
        names |= {"local": "client directory"}
        steps = ExportSteps(work.progress, f"exporting to {names.get(kind, 'image')}")
        with steps.running():
            match kind:
                case "image" | "moby":
                    return await self._images.export(work.result, work.attrs, steps, work.session, work.attester)
                case "oci" | "docker":
                    return await self._archives.export(
                        work.result,
                        work.attrs,
                        steps,
                        work.session,
                        is_docker=kind == "docker",
                        number=work.number,
                        attester=work.attester,
                    )
                case "tar":
                    return await self._files.export_tar(work.result, steps, work.session, work.number)
                case "local":
                    return await self._files.export_local(work.result, steps, work.session, work.number)
                case _:
                    raise InvalidInput(f"the exporter {kind[:60]!r} isn't served", reference="unknown-exporter")


def _attrs(exporter: Exporter, request: ExportRequest) -> dict[str, str]:
    """Return an exporter's attributes, with the time that the build's arguments set for all of them."""
    epoch = request.frontend_attrs.get("build-arg:SOURCE_DATE_EPOCH", "")
    attrs = ({EPOCH_KEY: epoch} if epoch else {}) | dict(exporter.Attrs)
    attrs.pop(INLINE_CACHE_ATTR, None)
    if any(entry.Type == INLINE for entry in request.cache_exports):
        attrs[INLINE_CACHE_ATTR] = "true"
    return attrs
