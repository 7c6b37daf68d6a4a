"""The settings of `config.toml`, with their defaults."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

ThemeName = Literal["auto", "dark", "light", "high-contrast", "colour-blind", "16", "plain"]
"""`auto` follows the terminal; `16` uses the terminal's own colours, `plain` none."""
THEMES: tuple[ThemeName, ...] = get_args(ThemeName)
Borders = Literal["auto", "unicode", "ascii"]
"""`auto` follows the locale."""
Where = Literal["suspend", "background", "pane"]
"""On the terminal, with the dashboard suspended; in the background, reporting only the result; in a pane."""

Confirmation = Literal["undo", "ask", "never"]
"""`undo` runs what a key can undo within ten seconds, and asks before anything else; `ask` always asks; `never` asks
only before what destroys something, and before actions on several containers."""
Layout = Literal["auto", "below", "right"]
"""Below the list, or at its right; `auto` is at the right where the terminal is wide enough for both."""

KeyLists = dict[str, str | list[str]]
"""Keys by action name; an empty list removes all keys."""


class UserCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user's own command, `[[commands]]` in the file.

    Attributes:
        name: Its name behind `:` and in the palette.
        run: A command line. `{name}`, `{id}`, `{image}`, `{project}`, `{service}`, `{state}`, `{pid}` stand for the
            container's values, and the names in `prompts` for what the user enters. Values are passed verbatim: no
            shell interprets them.
        key: A key that runs it.
        help: One line for the help screen.
        where: Where it runs.
        confirm: Ask for confirmation first.
        prompts: Names of values to ask for, in order.
        shell: Run the line with `sh -c`, for pipes and similar.
        changes: Whether it may change something; if so, `--read-only` refuses it.
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
        borders: Characters of borders and marks.
        mouse: Whether to handle the mouse; if not, the terminal's own selection works as usual.
        view: The initial view; empty for the last one.
        filter: The initial filter.
        merged: Start with the containers of all engines in one list, if there are several.
        restore: Start with the last view, order and filters.
        confirm: When to ask before one container is stopped, killed, paused or restarted, or its image is pulled.
        confirm_quit: Quit only when the key is pressed twice.
        layout: Where the pane with logs and events is.
        columns: Names of columns by view, in the order to show them in.
        keys: Key bindings by scope and action (`[keys.containers]`, `stop = "ctrl+k"`).
        commands: The user's own commands.
    """

    theme: ThemeName = "auto"
    borders: Borders = "auto"
    mouse: bool = True
    view: str = ""
    filter: str = ""
    merged: bool = False
    restore: bool = True
    confirm: Confirmation = "undo"
    confirm_quit: bool = True
    layout: Layout = "auto"
    columns: dict[str, tuple[str, ...]] = {}
    keys: dict[str, KeyLists] = {}
    commands: tuple[UserCommand, ...] = ()


class UiState(msgspec.Struct, frozen=True, kw_only=True):
    """The dashboard's state when it was last closed."""

    view: str = "containers"
    sort: str = "state"
    running_only: bool = msgspec.field(default=False, name="living_only")  # its name in state files of version 0.1
    broken_only: bool = False
    merged: bool | None = None
    """Whether the containers of all engines were in one list; None if never changed."""
    theme: str = ""
    """The theme chosen by key; empty for that of the settings."""
