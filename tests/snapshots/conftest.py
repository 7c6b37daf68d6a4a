"""Pictures of the dashboard's screens, one SVG file each, in `snapshots/` under the tests' own paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion
    from syrupy.location import PyTestLocation

ROOT = Path(__file__).parents[2]


class Picture(SingleFileSnapshotExtension):
    """An SVG file named after the test and its parameters."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """`snapshots/test_screens/` for `tests/snapshots/test_screens.py`."""
        parts = Path(test_location.filepath).relative_to(ROOT / "tests").with_suffix("").parts
        return str(ROOT.joinpath("snapshots", *(parts[1:] if parts[0] == "snapshots" else parts)))


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with the picture on file."""
    return snapshot.use_extension(Picture)
