"""Cases put together by hand: a dead container with what a test says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pyd_core.linux.kernel_events import OomKill, OomTask
from pyd_core.model.base import format_time
from pyd_core.model.container import Container
from pyd_core.model.container_state import ContainerState
from pyd_core.triage.evidence import Case, EvidenceLogLine, Run
from pyd_core.triage.phrases import find_phrases

NOW = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
ID = "ab" * 32

MakeCase = Callable[..., Case]


def kill_of(pid: int, name: str, *others: OomTask, ended_ns: int = NOW - SECOND) -> OomKill:
    victim = OomTask(pid=pid, uid=0, rss_pages=5000, name=name)
    group = f"/docker/{ID}"
    return OomKill(
        time_ns=ended_ns - SECOND // 50,
        pid=pid,
        name=name,
        limit_cgroup=group,
        task_cgroup=group,
        tasks=(*others, victim),
        text=f"Memory cgroup out of memory: Killed process {pid} ({name})",
    )


@pytest.fixture
def dead() -> MakeCase:
    """Make the case of a container that ran for ten seconds and ended a second ago, all sources read."""

    def make(code: int, *lines: str, run: dict[str, Any] | None = None, **facts: Any) -> Case:
        started, ended = NOW - 11 * SECOND, NOW - SECOND
        state = ContainerState(
            status="exited", exit_code=code, started_at=format_time(started), finished_at=format_time(ended)
        )
        container = facts.pop("container", None) or Container(id=ID, name_="/web", path="/app", state=state)
        output = tuple(EvidenceLogLine(stream="stderr", text=line) for line in lines)
        judged = Run(started_ns=started, ended_ns=ended, code=code, complete=True)
        return Case(
            container=container,
            now_ns=NOW,
            run=msgspec.structs.replace(judged, **(run or {})),
            lines=output,
            findings=find_phrases(output),
            kernel_read=facts.pop("kernel_read", True),
            **facts,
        )

    return make
