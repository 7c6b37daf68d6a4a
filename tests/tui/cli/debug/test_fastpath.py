"""The fast path of `pyd debug` reads command lines to the same effect as click."""

from __future__ import annotations

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyd_tui.cli.commands.debug.debug import command
from pyd_tui.cli.debug.fastpath import SUBCOMMANDS, FastOptions, read

CLICK_NAMES = {"target": "name", "command": "arguments"}

WORDS = (
    *("-c", "--command", "--as", "--rw", "--explain", "--hold", "--", "-", "", "web", "target", "0:0", "--as=x", "-cx"),
    *("--wr", "--rw=false", "--diff", "--tier", "-h", "--host", "--json", *sorted(SUBCOMMANDS)),
)
words = st.one_of(st.sampled_from(WORDS), st.text(max_size=4))


def _by_click(arguments: list[str]) -> dict[str, object]:
    """Return the parameters that click reads, defaults included."""
    return command.make_context("debug", list(arguments)).params


def _values(options: FastOptions) -> dict[str, object]:
    return {name: getattr(options, name) for name in FastOptions.__slots__}


@given(st.lists(words, max_size=6))
@example(["web"])
@example(["web", "-c", "true"])
@example(["-c", "--", "web"])
@example(["--as", "--rw", "web", "--", "ls", "--", "-l"])
@example(["web", "-c", "a", "-c", "b"])
@example(["web", "--", "a", "-c", "b"])
def test_click_reads_a_fast_path_line_to_the_same_effect(arguments: list[str]):
    options = read(arguments)
    if options is None:
        return
    expected = _by_click(arguments)
    values = {CLICK_NAMES.get(name, name): value for name, value in _values(options).items()}
    assert _by_click(["x"]) | values == expected


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--"],
        ["--", "web"],
        ["web", "-c"],
        ["web", "ls"],
        ["web", "ls", "-l"],
        ["web", "--help"],
        ["web", "--rww"],
        ["web", "--as=target"],
        ["ls"],
        ["build:"],
        ["build:0a1b2c", "-c", "true"],
        ["doctor", "web"],
        ["web", "--path", "elsewhere"],
        ["web", "--builtin", "ps"],
    ],
    ids=" ".join,
)
def test_other_lines_are_left_to_click(arguments: list[str]):
    assert read(arguments) is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["web"], {"target": "web"}),
        (["web", "-c", "ls -l"], {"target": "web", "line": "ls -l"}),
        (["--as", "target", "web", "--", "id", "-u"], {"target": "web", "identity": "target", "command": ("id", "-u")}),
        (["web", "--path", "container"], {"target": "web", "path": "container"}),
        (["--rw", "web", "--command", "true"], {"target": "web", "writable": True, "line": "true"}),
    ],
)
def test_common_lines_take_the_fast_path(arguments: list[str], expected: dict[str, object]):
    options = read(arguments)
    assert options is not None
    assert _values(options) == _values(FastOptions()) | expected


def test_the_defaults_are_those_of_a_session():
    options = read(["web"])
    assert options is not None
    session = options.debug_options()
    assert {name: getattr(session, name) for name in FastOptions.__slots__} == _values(options)


def test_a_line_that_click_refuses_is_never_taken():
    for arguments in (["--nope", "web"], ["web", "-c"], ["web", "extra", "-x"]):
        with pytest.raises(click.UsageError):
            _by_click(arguments)
        assert read(arguments) is None
