"""A container's files from outside, where no engine is needed to say who they belong to."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, cast

from pyd_core.daemon.containers import files
from pyd_core.daemon.containers.record import ProcessRecord


def running(main: ProcessRecord) -> Any:
    return SimpleNamespace(record=SimpleNamespace(running=True, main=main), looks=0)


def test_a_process_that_has_a_containers_pid_by_now_is_never_looked_into():
    """Version 0.1 opened the root of whatever process had the pid."""
    stale = ProcessRecord(os.getpid(), 1)
    container = running(stale)
    assert files.id_map_of(container) is None
    unused = cast("Any", None)
    opener = files.ContainerFiles(tasks=unused, roots=unused, claims=unused, populator=unused, network_files=unused)
    assert opener._open_running(container, stale, AsyncExitStack()) is None
    assert container.looks == 0
