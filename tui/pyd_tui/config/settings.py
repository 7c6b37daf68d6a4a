"""What can be set, with its defaults: the shape of `config.toml`."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

ThemeName = Literal["auto", "dark", "light", "high-contrast", "colour-blind", "16", "plain"]
"""`auto` goes by the terminal; `16` uses the terminal's own colours, `plain` none at all."""
THEMES: tuple[ThemeName, ...] = get_args(ThemeName)
Borders = Literal["auto", "unicode", "ascii"]
"""`auto` goes by the locale."""
Where = Literal["suspend", "background", "pane"]
"""On the terminal while the dashboard stands aside; without showing anything but its end; in a pane of its own."""

KeyLists = dict[str, str | list[str]]
"""Keys by the name of what they do; an empty list takes all keys away."""


class UserCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command of the user's own, `[[commands]]` in the file.

    Attributes:
        name: What `:` and the palette call it.
        run: A command line. `{name}`, `{id}`, `{image}`, `{project}`, `{service}`, `{state}`, `{pid}` stand for the
            container's, and the names in `prompts` for what was typed. Each is handed over as it is: no character in
            it is ever read by a shell.
        key: A key that runs it.
        help: One line for the help screen.
        where: Where it runs.
        confirm: Ask first.
        prompts: What to ask for, in order.
        shell: Hand the line to `sh -c`, for pipes and the like.
        changes: Whether it may change something; such commands are refused with `--read-only`.
    """

    name: str
    run: str
    key: str = ""
    help: str = ""
    where: Where = "suspend"
    confirm: bool = False
    prompts: tuple[str, ...] = ()
    shell: bool = False
    changes: bool = True


class UserSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings.

    Attributes:
        theme: Colours.
        borders: Lines of boxes and marks.
        mouse: Whether the mouse does anything; without, the terminal's own selection works as everywhere else.
        view: The view to begin with; empty is the last one.
        filter: The filter to begin with.
        merged: Begin with the containers of all engines in one list, where there are several.
        restore: Begin with the view, the order and the filters of last time.
        keys: Other keys, by part of the dashboard and name (`[keys.containers]`, `stop = "ctrl+k"`).
        commands: Commands of the user's own.
    """

    theme: ThemeName = "auto"
    borders: Borders = "auto"
    mouse: bool = True
    view: str = ""
    filter: str = ""
    merged: bool = False
    restore: bool = True
    keys: dict[str, KeyLists] = {}
    commands: tuple[UserCommand, ...] = ()


class UiState(msgspec.Struct, frozen=True, kw_only=True):
    """How the dashboard was left."""

    view: str = "containers"
    sort: str = "state"
    living_only: bool = False
    broken_only: bool = False
    merged: bool | None = None
    """Whether the containers of all engines were in one list; None is never changed."""
    theme: str = ""
    """The theme chosen by key; empty is that of the settings."""
