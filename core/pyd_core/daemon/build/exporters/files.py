"""The exporters `tar` and `local`: the files of a result, sent to the client."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import ExitStack

from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildSession, FrontendResult
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.images import tar_writer
from pyd_core.daemon.images.tar_writer import TarWriter
from pyd_core.errors import InvalidInput


class FileExporter:
    """Sends the files of results.

    With several platforms, each has a directory of its own, such as `linux_amd64`.
    """

    def __init__(self, snapshots: SnapshotStore) -> None:
        self._snapshots = snapshots

    async def export_tar(
        self, result: FrontendResult, steps: ExportSteps, session: BuildSession | None, number: int
    ) -> dict[str, str]:
        """Send an archive of the files."""
        client = _client(session)
        trees = self._trees(result)
        with ExitStack() as opened:
            paths = {
                prefix: await asyncio.to_thread(self._open, opened, ref)
                for prefix, ref in trees.items()
                if ref is not None
            }

            def write(packer: TarWriter) -> None:
                for prefix, path in paths.items():
                    packer.add_contents(path, prefix)

            with steps.step("sending tarball"):
                await client.send_file(tar_writer.stream_tar(write), {}, exporter=number)
        return {}

    async def export_local(
        self, result: FrontendResult, steps: ExportSteps, session: BuildSession | None, number: int
    ) -> dict[str, str]:
        """Send the files to a directory of the client."""
        client = _client(session)
        with ExitStack() as opened:
            directory = opened.enter_context(self._snapshots.workspace())
            trees = self._trees(result)
            root = str(directory)
            if list(trees) == [""]:
                ref = trees[""]
                path = await asyncio.to_thread(self._open, opened, ref) if ref is not None else root
            else:
                path = await asyncio.to_thread(self._combine, directory, opened, trees)
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, fd)
            with steps.step("copying files"):
                await client.send_directory(fd, {}, exporter=number)
        return {}

    def _trees(self, result: FrontendResult) -> dict[str, SolvedRef | None]:
        """Return the results by the directory that each gets; the only one gets none."""
        trees: dict[str, SolvedRef | None] = {}
        for key, ref in result.refs.items():
            if ref is not None and not isinstance(ref, SolvedRef):
                raise InvalidInput("the result is of another engine")
            trees["" if len(result.refs) == 1 else key.replace("/", "_")] = ref
        return trees

    def _open(self, opened: ExitStack, ref: SolvedRef) -> str:
        root = opened.enter_context(ref.result.open(self._snapshots))
        return f"/proc/self/fd/{root.fd}"

    def _combine(self, directory: os.PathLike[str], opened: ExitStack, trees: Mapping[str, SolvedRef | None]) -> str:
        """Mount several results in one directory."""
        base = os.path.join(directory, "all")  # noqa: PTH118 - a PathLike
        os.mkdir(base)  # noqa: PTH102
        for prefix, ref in trees.items():
            target = os.path.join(base, prefix)  # noqa: PTH118
            os.mkdir(target)  # noqa: PTH102
            if ref is not None:
                opened.enter_context(self._snapshots.bound(self._open(opened, ref), target))
        return base


def _client(session: BuildSession | None) -> BuildSession:
    if session is None:
        raise InvalidInput("this build has no session that files could be sent to")
    return session
