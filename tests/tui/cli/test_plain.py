"""Command lines of `pyd debug` that are read without click mean what they mean to it."""

from __future__ import annotations

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyd_tui.cli.commands.debug.group import command
from pyd_tui.cli.debug_fastpath import WORDS, read

RENAMED = {"target": "name", "command": "arguments"}

WORDS_OF_LINES = (
    *("-c", "--command", "--as", "--rw", "--explain", "--hold", "--", "-", "", "web", "target", "0:0", "--as=x", "-cx"),
    *("--wr", "--rw=false", "--diff", "--tier", "-h", "--host", "--json", *WORDS),
)
words = st.one_of(st.sampled_from(WORDS_OF_LINES), st.text(max_size=4))


def _by_click(arguments: list[str]) -> dict[str, object]:
    """Returns what click makes of it, options that were left out at their defaults."""
    return command.make_context("debug", list(arguments)).params


@given(st.lists(words, max_size=6))
@example(["web"])
@example(["web", "-c", "true"])
@example(["-c", "--", "web"])
@example(["--as", "--rw", "web", "--", "ls", "--", "-l"])
@example(["web", "-c", "a", "-c", "b"])
@example(["web", "--", "a", "-c", "b"])
def test_a_line_that_is_read_without_click_means_the_same_to_it(arguments: list[str]):
    given = read(arguments)
    if given is None:
        return
    expected = _by_click(arguments)
    found = _by_click(["x"]) | {RENAMED.get(name, name): value for name, value in given.items()}
    assert found == expected


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
        ["doctor", "web"],
        ["web", "--builtin", "ps"],
    ],
    ids=" ".join,
)
def test_everything_else_is_left_to_click(arguments: list[str]):
    assert read(arguments) is None


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["web"], {"target": "web"}),
        (["web", "-c", "ls -l"], {"target": "web", "line": "ls -l"}),
        (["--as", "target", "web", "--", "id", "-u"], {"target": "web", "identity": "target", "command": ("id", "-u")}),
        (["--rw", "web", "--command", "true"], {"target": "web", "writable": True, "line": "true"}),
    ],
)
def test_what_is_typed_most_is_read(arguments: list[str], given: dict[str, object]):
    assert read(arguments) == given


def test_a_command_line_that_click_refuses_is_never_taken():
    for arguments in (["--nope", "web"], ["web", "-c"], ["web", "extra", "-x"]):
        with pytest.raises(click.UsageError):
            _by_click(arguments)
        assert read(arguments) is None
