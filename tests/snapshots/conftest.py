"""Pictures of the dashboard's screens, one SVG file each, in `snapshots/` under the tests' own paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.snapshot_file import Picture

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with the picture on file."""
    return snapshot.use_extension(Picture)
