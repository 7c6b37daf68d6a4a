from __future__ import annotations

from pathlib import Path

from pyd_core.triage.causes import CAUSES
from support.coverage_page import ALONE, PAGE, SUITE, SWEPT_BY, render
from support.pod_stages import staged_causes
from support.stages import STAGES


def test_every_cause_is_staged_on_a_real_engine() -> None:
    staged = {this.cause for this in STAGES} | {cause for this in STAGES for cause in this.also} | set(ALONE)
    assert {identity for identity, cause in CAUSES.items() if cause.family != "pods"} - staged == set()


def test_every_cause_of_pods_is_staged() -> None:
    pods = {identity for identity, cause in CAUSES.items() if cause.family == "pods"}
    assert pods - staged_causes() == set(SWEPT_BY)
    tests = "".join(file.read_text() for file in (Path(__file__).parent / "pods").glob("test_*.py"))
    assert [name for name in SWEPT_BY.values() if f"def {name}(" not in tests] == []


def test_the_tests_that_the_page_names_are_there() -> None:
    for cause, (file, name) in ALONE.items():
        assert cause in CAUSES
        assert f"def {name}(" in (SUITE / file).read_text()


def test_the_page_is_what_the_tests_say() -> None:
    again = "PYTHONPATH=tests python -m support.coverage_page > docs/development/triage-coverage.md"
    assert PAGE.read_text() == render(), f"write it again: {again}"
