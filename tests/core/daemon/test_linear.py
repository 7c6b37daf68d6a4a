"""Expressions and texts of strangers that take a backtracking matcher for ever."""

from __future__ import annotations

import pytest

from pyd_core.daemon.containers.listing import _pattern
from pyd_core.daemon.images.changes import apply_changes
from pyd_core.daemon.images.registry import _CHALLENGE
from pyd_core.dockerfile.expansion import MAX_EXPANDED_LENGTH, ExpansionRules, expand
from pyd_core.dockerfile.ignore import IgnorePatterns
from pyd_core.dockerfile.instruction_parser import parse_typed
from pyd_core.dockerfile.parser import parse_instruction
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.durations import parse_request_duration
from pyd_core.model.container_config import ContainerConfig
from pyd_core.regex import compile_pattern, escape

pytestmark = pytest.mark.timeout(20)
"""Each of these hung in version 0.1."""


@pytest.mark.parametrize("tail", ['"', ""])
def test_a_quote_that_is_not_closed_is_found_at_once(tail: str):
    with pytest.raises(InvalidInput):
        expand('"' + "\\a" * 50_000 + tail + "'", {}, ExpansionRules())
    with pytest.raises(InvalidInput):
        parse_typed(parse_instruction('ENV "' + "\\a" * 20_000 + tail))


@pytest.mark.parametrize("line", ["FROM " + "--platform=a " * 4000 + "a", "COPY " + "--from=b " * 6000 + "a b"])
def test_flags_that_are_given_twice_are_refused_at_the_second(line: str):
    with pytest.raises(InvalidInput, match=r"uplicate flag|can have \d+ options"):
        parse_typed(parse_instruction(line))
    with pytest.raises(InvalidInput, match="Duplicate flag"):
        apply_changes(ContainerConfig(), ["HEALTHCHECK " + "--retries=1 " * 70_000 + "CMD true"])
    with pytest.raises(InvalidInput, match="no number"):
        apply_changes(ContainerConfig(), ["HEALTHCHECK --retries=x CMD true"])


def test_a_variable_that_is_doubled_again_and_again_is_refused():
    text = "x" * 1000
    while len(text) <= MAX_EXPANDED_LENGTH // 2:
        text = expand("$A$A", {"A": text}, ExpansionRules()).text
    with pytest.raises(InvalidInput, match="too long"):
        expand("$A$A$A", {"A": text}, ExpansionRules())


@pytest.mark.parametrize("pattern", ["*" * 60, "**/" * 60 + "b", "a*" * 60 + "b", "?*" * 60])
def test_a_pattern_of_dockerignore_takes_no_longer_than_its_path(pattern: str):
    assert IgnorePatterns([pattern]).excludes("a" * 3000 + "c") in {True, False}


def test_patterns_of_dockerignore_mean_what_they_meant():
    ignore = IgnorePatterns(["*.log", "**/tmp", "a/**/z", "[ab].txt", "!keep.log", "dir/***", "ü?", "x[[]y"])
    out = {"x.log", "tmp", "q/r/tmp", "a/z", "a/b/c/z", "a.txt", "dir/x/y", "üb", "x[y"}
    kept = {"d/x.log", "keep.log", "c.txt", "az", "ü", "other"}
    assert {path for path in out | kept if ignore.excludes(path)} == out


def test_expressions_are_matched_in_linear_time_with_go_s_syntax():
    assert compile_pattern("^(a+)+$").search("a" * 5000 + "!") is None
    assert compile_pattern("(?i)^/?WEB[[:digit:]]").search("web1")
    assert compile_pattern(escape("a.b*é\n")).fullmatch("a.b*é\n")
    assert compile_pattern("x").search("\udcffx")
    for bad in ("(", "(a{1000}){1000}", "a" * (1 << 17), r"(?=a)"):
        with pytest.raises(InvalidInput):
            compile_pattern(bad)
    with pytest.raises(InvalidInput, match="invalid filter 'name=\\('"):
        _pattern("(")


def test_a_registry_s_challenge_is_read_in_linear_time():
    assert _CHALLENGE.findall('realm="https://a",service="b"') == [("realm", "https://a"), ("service", "b")]
    assert _CHALLENGE.findall("a" * 300_000) == []


def test_a_duration_of_many_digits_is_refused_at_once():
    """As a filter, `until=0000…`, and in a Dockerfile's HEALTHCHECK."""
    with pytest.raises(InvalidInput, match="no duration"):
        parse_request_duration("0" * 200_000)
