from __future__ import annotations

import pytest

from pyd_core.buildkit.proto.control_pb2 import BuildHistoryRecord
from pyd_core.buildkit.proto.status_pb2 import Status
from pyd_core.daemon.build.history_filters import HistoryFilter
from pyd_core.daemon.build.progress import timestamp
from pyd_core.errors import InvalidInput

FAILED = BuildHistoryRecord(
    Ref="abc", FrontendAttrs={"vcs:source": "repo", "target": "web"}, error=Status(code=2, message="no"),
    CreatedAt=timestamp(0), CompletedAt=timestamp(90_000_000_000),
)  # fmt: skip
RUNNING = BuildHistoryRecord(Ref="def", CreatedAt=timestamp(0))


@pytest.mark.parametrize(
    ("filters", "failed", "running"),
    [
        ([], True, True),
        (["status==error"], True, False),
        (["status==running"], False, True),
        (["status==error,status==running"], True, True),
        (["status==error", "status==running"], False, False),
        (["ref~=b"], True, False),
        (["ref!=abc"], False, True),
        (["repository==repo", "target == 'web'"], True, False),
        (["duration>1m"], True, False),
        (["duration<=1m"], False, True),
    ],
)
def test_all_filters_must_hold_and_one_of_their_alternatives(filters: list[str], failed: bool, running: bool):
    chosen = HistoryFilter.parse(filters)
    assert (chosen.holds(FAILED), chosen.holds(RUNNING)) == (failed, running)


@pytest.mark.parametrize("text", ["x", "==", "nosuch==1", "ref>1", "duration==1s", "duration>x"])
def test_what_is_no_filter_is_refused(text: str):
    with pytest.raises(InvalidInput):
        HistoryFilter.parse([text])
