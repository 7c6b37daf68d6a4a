"""`pyd` without a verb: the dashboard."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.fleet.history_path import path_unless_off
from pyd_tui.cli.state import State

if TYPE_CHECKING:
    from pyd_core.engine.endpoint import Endpoint


def open_dashboard(state: State, *, all_contexts: bool = False) -> None:
    """Opens the full-screen dashboard on the engines that the options name, the first of them in sight."""
    from pyd_tui.dashboard.start import run  # noqa: PLC0415 - textual is heavy

    run(engines(state, all_contexts=all_contexts), history=path_unless_off())


def engines(state: State, *, all_contexts: bool = False) -> dict[str, Callable[[], Endpoint]]:
    """Returns the names of engines, and what finds each one's address."""
    names = short_names(state.hosts)
    found: dict[str, Callable[[], Endpoint]] = {
        name: partial(state.endpoint_at, host) for name, host in zip(names, state.hosts, strict=True)
    }
    found |= {name: partial(state.endpoint_at, None, name) for name in state.contexts}
    if all_contexts:
        from pyd_core.engine.contexts import DEFAULT, Contexts  # noqa: PLC0415 - only here

        for name in (DEFAULT, *(context.name for context in Contexts.of_user(os.environ).list())):
            found.setdefault(name, partial(state.endpoint_at, None, name))
    return found or {"": state.endpoint_at}


def short_names(addresses: Sequence[str]) -> Sequence[str]:
    """Returns what tells addresses from each other: machines' names, or the ends of the paths of sockets."""
    for parts in (1, 2):
        short = [_short(address, parts) for address in addresses]
        if len(set(short)) == len(short):
            return short
    return addresses


def _short(address: str, parts: int) -> str:
    scheme, _, rest = address.rpartition("://")
    if scheme in {"", "unix"}:
        return "/".join(rest.rsplit("/", parts)[-parts:])
    return rest.rpartition("@")[2].partition("/")[0].removesuffix(":2375").removesuffix(":2376")
