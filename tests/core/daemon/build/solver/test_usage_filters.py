"""Filters of cache records."""

from __future__ import annotations

import pytest

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon.build.solver.usage_filters import UsageFilter
from pyd_core.errors import InvalidInput

RECORD = control_pb2.UsageRecord(ID="abc123", RecordType="regular", Description="RUN make", Shared=True)


@pytest.mark.parametrize(
    ("filters", "is_matched"),
    [
        ([], True),
        (["id~=^abc"], True),
        (["id~=^b"], False),
        (["id==abc123"], True),
        (["id!=abc123"], False),
        (["type==regular,inuse==false"], True),
        (["type==regular", "inuse"], False),
        (["shared"], True),
        (["private"], False),
        (["mutable==true"], False),
        (["immutable"], True),
        (['description~="make"'], True),
    ],
)
def test_matches(filters: list[str], *, is_matched: bool) -> None:
    assert UsageFilter(filters).matches(RECORD) is is_matched


@pytest.mark.parametrize("text", ["colour==red", "id=abc", "id~=(", "==x"])
def test_malformed_filters_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        UsageFilter([text])
