"""Booleans in Go's notation, and in the narrower and wider ones of Docker's API."""

from __future__ import annotations

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
BOOLS = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}
"""Values that Go's strconv.ParseBool accepts."""

FILTER_BOOLS = {"1": True, "true": True, "0": False, "false": False}
"""Values that the API's filters accept (moby, `filters.Args.GetBoolOrDefault`)."""
_QUERY_TRUE = frozenset({"1", "t", "true", "yes"})


def parse_bool(value: str, name: str) -> bool:
    """Parse a boolean field; an empty one is true.

    Raises:
        InvalidInput: It is not a boolean.
    """
    if value != "" and value not in BOOLS:
        raise InvalidInput(f"invalid value for {name}: {safe(value)}", hint="write true or false")
    return BOOLS.get(value, True)


def parse_query_bool(value: str) -> bool:
    """Parse a query parameter, of which every value but `1`, `t`, `true` and `yes` in any case is false."""
    return value.strip().lower() in _QUERY_TRUE
