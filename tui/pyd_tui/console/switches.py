"""Options as Go programs take them (`--sig-proxy=false`, `--rm=true`), and by the name that is soonest found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

YES = frozenset({"1", "t", "T", "true", "TRUE", "True"})
NO = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def settle_switches(parameters: Iterable[click.Parameter], args: Sequence[str], *, whole: bool) -> list[str]:
    """Returns the arguments with each such switch as click knows it, or left out where it is off anyhow.

    An option of one letter gets its long name where it has one: click takes every option for a long one first, and when
    it is none, loads what finds similar names and looks for them, before it thinks of letters.

    Args:
        parameters: The command's.
        args: What was typed.
        whole: Options may follow arguments; else everything from the first argument on is left alone.
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
        if option is not None and option.is_flag and equals and value in YES | NO:
            settled += [name] if value in YES else option.secondary_opts[:1]
            continue
        settled.append(_long_name(arg, option) if len(arg) == 2 and option is not None else arg)
        if _takes_next(options, arg) and remaining:
            settled.append(remaining.pop(0))
    return settled


def _long_name(letter: str, option: click.Option) -> str:
    """Returns what means the same as `-x` in full, where there is such a name."""
    same = option.opts if letter in option.opts else option.secondary_opts
    return next((name for name in same if name.startswith("--")), letter)


def _takes_next(known: dict[str, click.Option], arg: str) -> bool:
    """Whether the argument after this one is its value."""
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
