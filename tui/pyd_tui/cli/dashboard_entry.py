"""The way from the command line into the dashboard: the only module of the CLI that imports it, when it is needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.errors import ConfigError

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_tui.config.settings import ThemeName
    from pyd_tui.console.global_options import State


def open_dashboard(
    state: State,
    *,
    all_contexts: bool = False,
    theme: ThemeName | None = None,
    view: str = "",
    filter: str = "",
) -> None:
    """Open the full-screen dashboard on the engines that the options name, and show the first.

    Args:
        state: The global options.
        all_contexts: Add the engines of all docker contexts.
        theme: The colours of this run.
        view: The view to open.
        filter: The filter to start with.
    """
    from pyd_core.watch.history_path import path_unless_off
    from pyd_tui.dashboard.startup.start import run
    from pyd_tui.dashboard.startup.startup_state import CliOverrides

    overrides = CliOverrides(theme=theme, view=view, filter=filter)
    run(engines(state, all_contexts=all_contexts), overrides, history=path_unless_off())


def settings_problems(path: Path) -> list[tuple[int, str, str]]:
    """Return line, message and hint of each error in the settings file."""
    from pyd_tui.config.reader import line_of, read_settings
    from pyd_tui.dashboard.startup.settings_check import problems

    try:
        settings = read_settings(path)
    except ConfigError as error:
        line, _, message = error.message.removeprefix(f"{path}:").partition(": ")
        return [(int(line), message, error.hint)] if line.isdigit() else [(1, error.message, error.hint)]
    errors = problems(settings)
    text = path.read_text() if errors else ""
    return [(line_of(text, problem.steps), problem.message, problem.hint) for problem in errors]


def engines(state: State, *, all_contexts: bool = False) -> dict[str, Callable[[], Endpoint]]:
    """Return the engines that the options name, each with a function that resolves its address."""
    names = short_names(state.hosts)
    resolvers: dict[str, Callable[[], Endpoint]] = {
        name: partial(state.endpoint_at, host) for name, host in zip(names, state.hosts, strict=True)
    }
    resolvers |= {name: partial(state.endpoint_at, None, name) for name in state.contexts}
    if all_contexts:
        from pyd_core.client.contexts import DEFAULT, Contexts

        for name in (DEFAULT, *(context.name for context in Contexts.of_user(os.environ).list())):
            resolvers.setdefault(name, partial(state.endpoint_at, None, name))
    return resolvers or {"": state.endpoint_at}


def short_names(addresses: Sequence[str]) -> Sequence[str]:
    """Return the shortest names that distinguish addresses: host names, or the last parts of socket paths."""
    for parts in (1, 2):
        names = [_short_name(address, parts) for address in addresses]
        if len(set(names)) == len(names):
            return names
    return addresses


def _short_name(address: str, parts: int) -> str:
    scheme, _, rest = address.rpartition("://")
    if scheme in {"", "unix"}:
        return "/".join(rest.rsplit("/", parts)[-parts:])
    return rest.rpartition("@")[2].partition("/")[0].removesuffix(":2375").removesuffix(":2376")
