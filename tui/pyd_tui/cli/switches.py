"""Switches with a value, as Go programs take them: `--sig-proxy=false`, `--rm=true`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

YES = frozenset({"1", "t", "T", "true", "TRUE", "True"})
NO = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def settle_switches(parameters: Iterable[click.Parameter], args: Sequence[str], *, whole: bool) -> list[str]:
    """Returns the arguments with each such switch as click knows it, or left out where it is off anyhow.

    Args:
        parameters: The command's.
        args: What was typed.
        whole: Options may follow arguments; else everything from the first argument on is left alone.
    """
    known = {
        name: option
        for option in parameters
        if isinstance(option, click.Option)
        for name in [*option.opts, *option.secondary_opts]
    }
    settled: list[str] = []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--" or (not whole and not (arg.startswith("-") and len(arg) > 1)):
            return [*settled, arg, *rest]
        name, equals, value = arg.partition("=")
        option = known.get(name)
        if option is not None and option.is_flag and equals and value in YES | NO:
            settled += [name] if value in YES else option.secondary_opts[:1]
            continue
        settled.append(arg)
        if _takes_next(known, arg) and rest:
            settled.append(rest.pop(0))
    return settled


def _takes_next(known: dict[str, click.Option], arg: str) -> bool:
    """Whether the argument after this one is its value."""
    if arg.startswith("--"):
        option = known.get(arg)
        return option is not None and not option.is_flag and not option.count
    if not arg.startswith("-"):
        return False
    for place, letter in enumerate(arg[1:], start=2):
        option = known.get(f"-{letter}")
        if option is None:
            return False
        if not option.is_flag and not option.count:
            return place == len(arg)
    return False
