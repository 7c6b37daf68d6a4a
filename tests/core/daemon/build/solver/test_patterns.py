"""Patterns of copies, with the outcomes of moby/patternmatcher."""

from __future__ import annotations

import pytest

from pyd_core.daemon.build.solver.patterns import PatternList, compile_name
from pyd_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("patterns", "path", "is_matched"),
    [
        (["*.go"], "a.go", True),
        (["*.go"], "dir/a.go", False),
        (["**/*.go"], "a.go", True),
        (["**/*.go"], "dir/deep/a.go", True),
        (["dir"], "dir/a", True),
        (["dir"], "directory", False),
        (["dir", "!dir/keep"], "dir/keep", False),
        (["dir", "!dir/keep"], "dir/other", True),
        (["!dir/keep", "dir"], "dir/keep", True),
        (["/dir/"], "dir/a", True),
        (["a?c"], "abc", True),
        (["a?c"], "a/c", False),
        (["[a-c]x"], "bx", True),
        (["[^a-c]x"], "bx", False),
        (["\\*"], "*", True),
        (["\\*"], "a", False),
        (["."], "anything", True),
        (["a**"], "a/b/c", True),
    ],
)
def test_matches(patterns: list[str], path: str, *, is_matched: bool) -> None:
    assert PatternList(patterns).matches(path) is is_matched


def test_a_bracket_that_is_not_closed_is_refused() -> None:
    with pytest.raises(InvalidInput, match="syntax error"):
        compile_name("a[b")


def test_a_pattern_made_for_exponential_time_is_harmless() -> None:
    assert not PatternList(["*a" * 40 + "b"]).matches("a" * 4000)
