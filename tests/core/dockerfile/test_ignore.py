"""`.dockerignore`: lines, patterns, exceptions and the pattern that took a file."""

from __future__ import annotations

import pytest

from pyd_core.dockerfile.ignore import IgnorePatterns, read_patterns
from pyd_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("patterns", "excluded", "included"),
    [
        ("*.log", ["a.log"], ["d/a.log", "a.logs"]),
        ("**/*.log", ["a.log", "d/a.log", "d/e/a.log"], ["a.txt"]),
        ("d", ["d", "d/a", "d/e/f"], ["de"]),
        ("/d/", ["d/a"], ["x/d"]),
        ("d\n!d/keep", ["d/a"], ["d/keep", "d/keep/x"]),
        ("*\n!src\nsrc/tmp", ["a", "src/tmp/x"], ["src/a"]),
        ("**/tmp", ["tmp", "a/tmp", "a/b/tmp/c"], ["atmp"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["az"]),
        ("[ab].txt", ["a.txt"], ["c.txt"]),
        ("[^ab].txt", ["c.txt"], ["a.txt"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("x?", ["xy"], ["x", "x/y"]),
        ("./a/../b", ["b"], ["a"]),
        ("#x\n  # y", ["# y"], ["x"]),
        ("**", ["a", "a/b"], []),
    ],
)
def test_patterns_exclude_what_dockers_do(patterns: str, excluded: list[str], included: list[str]):
    ignore = IgnorePatterns(read_patterns(patterns.encode()))
    assert [path for path in excluded if not ignore.excludes(path)] == []
    assert [path for path in included if ignore.excludes(path)] == []


@pytest.mark.parametrize("patterns", ["!", "[a", "a\\", "[]a]", "[a-]"])
def test_a_malformed_pattern_is_refused(patterns: str):
    with pytest.raises(InvalidInput):
        IgnorePatterns(read_patterns(patterns.encode()))


def test_the_pattern_that_took_a_file_is_named():
    ignore = IgnorePatterns(read_patterns(b"*.md\n!README.md\nbuild/**\n"))
    assert ignore.excluding_pattern("a.md") == "*.md"
    assert ignore.excluding_pattern("build/x/y") == "build/**"
    assert ignore.excluding_pattern("README.md") == ""


def test_a_byte_order_mark_and_line_feeds_of_windows_are_dropped():
    assert read_patterns(b"\xef\xbb\xbfa\r\n\r\n! b \r\n") == ["a", "!b"]
