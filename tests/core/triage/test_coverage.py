from __future__ import annotations

from pyd_core.triage.causes import CAUSES
from support.coverage_page import ALONE, PAGE, SUITE, render
from support.stages import STAGES


def test_every_cause_is_staged_on_a_real_engine() -> None:
    staged = {this.cause for this in STAGES} | {cause for this in STAGES for cause in this.also} | set(ALONE)
    assert set(CAUSES) - staged == set()


def test_the_tests_that_the_page_names_are_there() -> None:
    for cause, (file, name) in ALONE.items():
        assert cause in CAUSES
        assert f"def {name}(" in (SUITE / file).read_text()


def test_the_page_is_what_the_tests_say() -> None:
    again = "PYTHONPATH=tests python -m support.coverage_page > docs/development/triage-coverage.md"
    assert PAGE.read_text() == render(), f"write it again: {again}"
