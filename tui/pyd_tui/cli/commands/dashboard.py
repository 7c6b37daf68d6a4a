"""`pyd` without a verb: the dashboard."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.watch.history_path import path_unless_off
from pyd_tui.cli.global_options import State
from pyd_tui.config.settings import ThemeName

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint


def open_dashboard(
    state: State,
    *,
    all_contexts: bool = False,
    theme: ThemeName | None = None,
    view: str = "",
    filter: str = "",
) -> None:
    """Opens the full-screen dashboard on the engines that the options name, the first of them in sight.

    Args:
        state: The global options.
        all_contexts: On those of all docker contexts.
        theme: Colours for this time.
        view: The view to open.
        filter: The filter to begin with.
    """
    from pyd_tui.dashboard.startup.start import run  # noqa: PLC0415 - likewise
    from pyd_tui.dashboard.startup.startup_state import CliOverrides  # noqa: PLC0415 - verbs don't pay for it

    wishes = CliOverrides(theme=theme, view=view, filter=filter)
    run(engines(state, all_contexts=all_contexts), wishes, history=path_unless_off())


def engines(state: State, *, all_contexts: bool = False) -> dict[str, Callable[[], Endpoint]]:
    """Returns the names of engines, and what finds each one's address."""
    names = short_names(state.hosts)
    found: dict[str, Callable[[], Endpoint]] = {
        name: partial(state.endpoint_at, host) for name, host in zip(names, state.hosts, strict=True)
    }
    found |= {name: partial(state.endpoint_at, None, name) for name in state.contexts}
    if all_contexts:
        from pyd_core.client.contexts import DEFAULT, Contexts  # noqa: PLC0415 - only here

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
