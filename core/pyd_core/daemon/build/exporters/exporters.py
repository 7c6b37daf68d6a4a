"""All exporters of an engine."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon.build.exporters.image import ImageWriter
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
        self._images = ImageWriter(images, events, self._packer)

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
        del session
        response: dict[str, str] = {}
        for exporter in request.exporters:
            response |= await self._export(exporter, result, progress)
        return response

    async def _export(
        self,
        exporter: control_pb2.Exporter,
        result: FrontendResult,
        progress: BuildProgress,
    ) -> Mapping[str, str]:
        attrs = dict(exporter.Attrs)
        match exporter.Type:
            case "image" | "moby":
                steps = ExportSteps(progress, "exporting to image")
                with steps.running():
                    return await self._images.export(result, attrs, steps)
            case kind:
                raise InvalidInput(f"the exporter {kind[:60]!r} isn't served", reference="unknown-exporter")
