"""Times as the Engine API takes them."""

from __future__ import annotations


def api_timestamp(time_ns: int | None) -> str | None:
    """Write nanoseconds since the epoch as seconds with nine decimals, for `since` and `until`; None stays None."""
    return None if time_ns is None else f"{time_ns // 1_000_000_000}.{time_ns % 1_000_000_000:09d}"
