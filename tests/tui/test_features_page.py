"""The page of promises names tests and rows that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "development" / "dashboard-features.md").read_text()


def test_every_promise_names_tests_that_are_there():
    promises = re.split(r"^## \d+\. ", PAGE, flags=re.MULTILINE)[1:]
    assert len(promises) == 20
    for promise in promises:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", promise)
        assert named, promise
        for file, name in named:
            assert re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE), name


def test_the_rows_that_it_names_are_measured():
    rows = "".join(file.read_text() for file in (ROOT / "benchmarks").glob("*.py"))
    named = [
        row for line in re.findall(r"^\* bench: (.*)$", PAGE, re.MULTILINE) for row in re.findall("`([^`]+)`", line)
    ]
    assert len(named) > 5
    assert all(row in rows for row in named), [row for row in named if row not in rows]
