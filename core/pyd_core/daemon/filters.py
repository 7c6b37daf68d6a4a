"""Values of the API's filters; error messages are Docker Engine's."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pyd_core.daemon.times import moment
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.booleans import FILTER_BOOLS
from pyd_core.gosyntax.durations import parse_request_duration


def has_label(labels: Mapping[str, str], requested: str) -> bool:
    """Return whether labels match `NAME` or `NAME=VALUE`."""
    name, equals, value = requested.partition("=")
    return name in labels and (not equals or labels[name] == value)


def truth(name: str, values: Sequence[str]) -> bool:
    """Parse a boolean filter.

    Raises:
        InvalidInput: It is neither, or both.
    """
    if len(values) != 1 or values[0] not in FILTER_BOOLS:
        raise InvalidInput(f"invalid filter '{name}=[{' '.join(values)[:80]}]'")
    return FILTER_BOOLS[values[0]]


def until(values: Sequence[str]) -> int | None:
    """Parse the `until` filter of a prune, a time or an age; None without the filter.

    Returns:
        Nanoseconds since the epoch.

    Raises:
        InvalidInput: It is neither, or there are several.
    """
    if not values:
        return None
    if len(values) > 1:
        raise InvalidInput("more than one until filter specified")
    try:
        return time.time_ns() - parse_request_duration(values[0])
    except InvalidInput:
        pass
    try:
        return moment(values[0], "until") or 0
    except InvalidInput:
        raise InvalidInput(f'failed to parse value as time or duration: "{values[0][:40]}"') from None
