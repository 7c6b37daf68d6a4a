"""The tar reader against others, for `PYD_FUZZ_MINUTES`: no archive that two of them read alike is read otherwise."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.tar_readers.comparison import contradictions, other_readers

MINUTES = float(os.environ.get("PYD_FUZZ_MINUTES", "60"))
FIRST_SEED = int(os.environ.get("PYD_FUZZ_SEED", "1000000"))
NEEDED = {"go", "gnu", "libarchive", "python"}


@pytest.mark.timeout(MINUTES * 60 + 600)
def test_no_archive_is_read_otherwise_than_others_read_it(
    tmp_path: Path, record_property: Callable[[str, object], None]
):
    end = time.monotonic() + MINUTES * 60
    seed = FIRST_SEED
    found_contradictions: list[str] = []
    with other_readers(tmp_path) as others:
        assert set(others) == NEEDED, "install golang-go and libarchive-tools"
        while time.monotonic() < end and len(found_contradictions) < 20:
            why = contradictions(seed, others)
            found_contradictions += [why] if why else []
            seed += 1
    record_property("archives", seed - FIRST_SEED)
    assert found_contradictions == []
