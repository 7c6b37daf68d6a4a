"""Flags with values as Go programs take them (`--sig-proxy=false`, `--rm=true`), and options by long names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from pyd_core.gosyntax.booleans import BOOLS


def settle_switches(parameters: Iterable[click.Parameter], args: Sequence[str], *, whole: bool) -> list[str]:
    """Return arguments in which flags with values are rewritten for click.

    A short option is replaced by its long name if it has one: click takes every option for a long one first, and loads
    difflib to suggest similar names before it tries short ones.

    Args:
        parameters: The parameters of the command.
        args: The arguments as the user typed them.
        whole: Options may follow arguments; else everything from the first argument on is kept.
    """
    options = {
        name: option
        for option in parameters
        if isinstance(option, click.Option)
        for name in [*option.opts, *option.secondary_opts]
    }
    settled: list[str] = []
    remaining = list(args)
    while remaining:
        arg = remaining.pop(0)
        if arg == "--" or (not whole and not (arg.startswith("-") and len(arg) > 1)):
            return [*settled, arg, *remaining]
        name, equals, value = arg.partition("=")
        option = options.get(name)
        if option is not None and option.is_flag and equals and value in BOOLS:
            settled += [name] if BOOLS[value] else option.secondary_opts[:1]
            continue
        settled.append(_long_name(arg, option) if len(arg) == 2 and option is not None else arg)
        if _takes_next(options, arg) and remaining:
            settled.append(remaining.pop(0))
    return settled


def _long_name(letter: str, option: click.Option) -> str:
    """Return the long name of a short option, or the short one if it has none."""
    same = option.opts if letter in option.opts else option.secondary_opts
    return next((name for name in same if name.startswith("--")), letter)


def _takes_next(known: dict[str, click.Option], arg: str) -> bool:
    """Return whether an argument's value is the next argument."""
    if arg.startswith("--"):
        option = known.get(arg)
        return option is not None and not option.is_flag and not option.count
    if not arg.startswith("-"):
        return False
    for position, letter in enumerate(arg[1:], start=2):
        option = known.get(f"-{letter}")
        if option is None:
            return False
        if not option.is_flag and not option.count:
            return position == len(arg)
    return False
