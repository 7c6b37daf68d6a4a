"""Flags as Go programs take them, rewritten before click parses them."""

from __future__ import annotations

import click
import pytest

from pyd_tui.console.switches import settle_switches

PARAMETERS = [
    click.Option(["-a", "--all"], is_flag=True),
    click.Option(["-n", "--last"], type=int),
    click.Option(["-e"], multiple=True),
    click.Option(["--proxy/--no-proxy", "-p/-P"], default=True),
    click.Argument(["name"]),
]


@pytest.mark.parametrize(
    ("typed", "settled"),
    [
        ("-a", "--all"),
        ("-n 5 web", "--last 5 web"),
        ("-n -a", "--last -a"),
        ("-e -a -e A=1", "-e -a -e A=1"),
        ("-an 5", "-an 5"),
        ("-an -a", "-an -a"),
        ("-p -P", "--proxy --no-proxy"),
        ("--all=true --proxy=false", "--all --no-proxy"),
        ("--all=false web", "web"),
        ("-z -a", "-z --all"),
        ("-- -a", "-- -a"),
    ],
)
def test_arguments_are_rewritten_to_the_names_click_finds_first(typed: str, settled: str):
    assert settle_switches(PARAMETERS, typed.split(), whole=True) == settled.split()


def test_arguments_of_another_program_are_kept():
    assert settle_switches(PARAMETERS, ["-a", "web", "sh", "-a"], whole=False) == ["--all", "web", "sh", "-a"]
