"""The file of a picture that a test compares with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

if TYPE_CHECKING:
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
