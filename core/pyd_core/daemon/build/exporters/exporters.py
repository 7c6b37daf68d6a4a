"""All exporters of an engine."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon.build.exporters.archive import ArchiveExporter
from pyd_core.daemon.build.exporters.cache_export import INLINE, CacheExporter
from pyd_core.daemon.build.exporters.files import FileExporter
from pyd_core.daemon.build.exporters.image import EPOCH_KEY, INLINE_CACHE_ATTR, ImageWriter, configs_of
from pyd_core.daemon.build.exporters.packing import LayerPacker
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildProgress, BuildSession, ExportRequest, FrontendResult
from pyd_core.daemon.build.solver.solver import BuildSolver
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.errors import InvalidInput


class BuildExporters:
    """Exports results; see `Exporters` in `daemon/build/interfaces.py`."""

    def __init__(self, solver: BuildSolver, events: ImageEvents) -> None:
        images = solver.images
        self._packer = LayerPacker(solver.snapshots, images.layers, images.blobs)
        self._caches = CacheExporter(images, self._packer, solver.registries)
        self._images = ImageWriter(images, events, self._packer, solver.snapshots, self._caches)
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
        _warn_of_attestations(request, progress)
        response: dict[str, str] = {}
        for number, exporter in enumerate(request.exporters):
            response |= await self._export(exporter, _attrs(exporter, request), result, session, progress, number)
        if request.cache_exports:
            refs = [ref for _, ref, _ in configs_of(result) if ref is not None]
            response |= await self._caches.export(request.cache_exports, refs, session=session, progress=progress)
        return response

    async def _export(  # noqa: PLR0917 - each is another part of the export
        self,
        exporter: control_pb2.Exporter,
        attrs: Mapping[str, str],
        result: FrontendResult,
        session: BuildSession | None,
        progress: BuildProgress,
        number: int,
    ) -> Mapping[str, str]:
        match exporter.Type:
            case "image" | "moby":
                steps = ExportSteps(progress, "exporting to image")
                with steps.running():
                    return await self._images.export(result, attrs, steps)
            case "oci" | "docker" as kind:
                steps = ExportSteps(progress, f"exporting to {'oci' if kind == 'oci' else 'docker'} image format")
                with steps.running():
                    return await self._archives.export(
                        result, attrs, steps, session, is_docker=kind == "docker", number=number
                    )
            case "tar":
                steps = ExportSteps(progress, "exporting to client tarball")
                with steps.running():
                    return await self._files.export_tar(result, steps, session, number)
            case "local":
                steps = ExportSteps(progress, "exporting to client directory")
                with steps.running():
                    return await self._files.export_local(result, steps, session, number)
            case kind:
                raise InvalidInput(f"the exporter {kind[:60]!r} isn't served", reference="unknown-exporter")


def _warn_of_attestations(request: ExportRequest, progress: BuildProgress) -> None:
    """Warn of attestations that the client asks for, since none are written; clients' defaults are inline only."""
    names = [
        name.removeprefix("attest:")
        for name, value in request.frontend_attrs.items()
        if name.startswith("attest:") and "inline-only=true" not in value and "disabled=true" not in value
    ]
    if not names:
        return
    steps = ExportSteps(progress, "attestations")
    with steps.running():
        text = f"pydd writes no attestations: {', '.join(sorted(names))[:100]}"
        progress.warning(control_pb2.VertexWarning(vertex=steps.digest, level=1, short=text.encode()))


def _attrs(exporter: control_pb2.Exporter, request: ExportRequest) -> dict[str, str]:
    """Return an exporter's attributes, with the time that the build's arguments set for all of them."""
    epoch = request.frontend_attrs.get("build-arg:SOURCE_DATE_EPOCH", "")
    attrs = ({EPOCH_KEY: epoch} if epoch else {}) | dict(exporter.Attrs)
    attrs.pop(INLINE_CACHE_ATTR, None)
    if any(entry.Type == INLINE for entry in request.cache_exports):
        attrs[INLINE_CACHE_ATTR] = "true"
    return attrs
