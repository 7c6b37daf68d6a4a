"""Signals by name or number, see signal(7)."""

from __future__ import annotations

import signal

from pyd_core.errors import InvalidInput

MAX_DIGITS = 3


def number(text: str) -> int:
    """Parse `SIGTERM`, `term`, `RTMIN+3` or `15`, but not `SIG15`.

    Raises:
        InvalidInput: There is no such signal.
    """
    word = text.strip().upper()
    if not word.isdecimal():
        word = word.removeprefix("SIG")
    elif word.isascii() and len(word) <= MAX_DIGITS:
        value = int(word)
        if 0 < value <= signal.SIGRTMAX and word == text.strip():
            return value
        if value > signal.SIGRTMAX and word == text.strip():
            raise InvalidInput(f"the linux daemon does not support signal {word[:40]}")
        raise InvalidInput(f"invalid signal: {text[:40]}")
    for base, sign in (("RTMIN", "+"), ("RTMAX", "-")):
        if word.startswith(base + sign) and word[len(base) + 1 :].isdecimal():
            offset = int(word[len(base) + 1 :])
            value = signal.SIGRTMIN + offset if sign == "+" else signal.SIGRTMAX - offset
            if signal.SIGRTMIN <= value <= signal.SIGRTMAX:
                return value
    member = getattr(signal, f"SIG{word}", None)
    if not isinstance(member, signal.Signals):
        raise InvalidInput(f"invalid signal: {text[:40]}")
    return int(member)


def name(value: int) -> str:
    """Return a signal's name, `SIGTERM`, or its number as text."""
    try:
        return signal.Signals(value).name
    except ValueError:
        return str(value)
