"""How roles look: palettes for dark and light grounds, for eyes of several kinds, and without any colour."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from rich.style import Style
from textual.theme import Theme

from pyd_tui.dashboard.render.pieces import Role, Source

if TYPE_CHECKING:
    from textual.app import App

_SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours of one theme, as `#rrggbb`, or as Textual names the terminal's own (`ansi_green`).

    Text colours keep a contrast of 4.5:1 on `background` (WCAG 2 AA); `faint` is for rules and marks, never for words.
    """

    name: str
    dark: bool
    background: str
    panel: str
    cursor: str
    cursor_blur: str
    selection: str
    text: str
    dim: str
    faint: str
    accent: str
    good: str
    warn: str
    bad: str
    info: str
    sources: tuple[str, ...] = ("#7fb7ff", "#e8a35c", "#7ed6a5", "#d99be8", "#6fd3d9", "#d6cf72")
    """For containers beside each other, as many as there are roles for them."""
    plain: bool = False
    """Without colours: what matters is bold, the rest is the terminal's own."""
    ansi: bool = False
    """In the terminal's own colours: its ground stays, and bars are drawn by reversing."""
    _styles: dict[tuple[Role, str, bool], Style] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def theme(self) -> Theme:
        """The same colours for what Textual draws itself."""
        return Theme(
            name=self.name,
            primary=self.accent,
            secondary=self.info,
            accent=self.accent,
            success=self.good,
            warning=self.warn,
            error=self.bad,
            foreground=self.text,
            background=self.background,
            surface=self.background,
            panel=self.panel,
            dark=self.dark,
            ansi=self.ansi,
            variables={"ansi-background": self.background, "ansi-foreground": self.text, "border-blurred": self.faint},
        )

    def style(self, role: Role, ground: str | None = None, *, stale: bool = False) -> Style:
        """Returns the style of a role on a ground (a colour; None is the background); stale text is dimmed."""
        ground = ground or self.background
        key = (role, ground, stale)
        found = self._styles.get(key)
        if found is None:
            found = self._styles[key] = self._make(role, ground, stale=stale)
        return found

    def _make(self, role: Role, ground: str, *, stale: bool) -> Style:
        bold = role in {"strong", "title", "bad"} and not stale
        if self.ansi:
            dim = role in {"dim", "faint"} or stale
            on_bar = ground == self.cursor
            reverse = (role == "match") ^ on_bar
            colour = None if self.plain or stale or on_bar else _native(self._colour(role))
            return Style(color=colour, bold=bold or None, dim=dim or None, reverse=reverse)
        if role == "match":
            return Style(color=self.text, bgcolor=self.selection, bold=True)
        colour = self.dim if stale and role != "faint" else self._colour(role)
        return Style(color=colour, bgcolor=ground, bold=bold or None)

    def _colour(self, role: Role) -> str:
        colours: dict[Role, str] = {
            "match": self.text,
            "text": self.text,
            "strong": self.text,
            "title": self.accent,
            "dim": self.dim,
            "faint": self.faint,
            "accent": self.accent,
            "good": self.good,
            "warn": self.warn,
            "bad": self.bad,
            "info": self.info,
        }
        colours.update(zip(_SOURCES, self.sources, strict=True))
        return colours[role]


def _native(colour: str) -> str | None:
    """Returns one of the terminal's own colours as Rich names it; None is the terminal's text."""
    return None if colour == "ansi_default" else colour.removeprefix("ansi_")


DARK = Palette(
    name="pyd-dark",
    dark=True,
    background="#0f1319",
    panel="#1a212b",
    cursor="#24364f",
    cursor_blur="#1c2531",
    selection="#5a4a1a",
    text="#d5dce5",
    dim="#8592a3",
    faint="#3a4553",
    accent="#74b8f5",
    good="#66cc92",
    warn="#e5b65a",
    bad="#f5808a",
    info="#c3a0f2",
)

LIGHT = Palette(
    name="pyd-light",
    dark=False,
    background="#fbfbf9",
    panel="#e9ecf0",
    cursor="#cfe1f7",
    cursor_blur="#e6ebf1",
    selection="#ffe08a",
    text="#1d2530",
    dim="#5c6776",
    faint="#bcc4ce",
    accent="#0a58b8",
    good="#176f3d",
    warn="#865300",
    bad="#bd1f2d",
    info="#6a3fb5",
    sources=("#1256a8", "#8f4a00", "#176f3d", "#8a2fa3", "#00696f", "#665f00"),
)

HIGH_CONTRAST = Palette(
    name="pyd-high-contrast",
    dark=True,
    background="#000000",
    panel="#1c1c1c",
    cursor="#003f8a",
    cursor_blur="#303030",
    selection="#7a5c00",
    text="#ffffff",
    dim="#d0d0d0",
    faint="#8a8a8a",
    accent="#5fd7ff",
    good="#5fff87",
    warn="#ffd75f",
    bad="#ff8787",
    info="#ffafff",
    sources=("#87d7ff", "#ffaf5f", "#87ffaf", "#ffafff", "#5fffff", "#ffff87"),
)
"""At least 7:1 for every word (WCAG 2 AAA)."""

COLOUR_BLIND = Palette(
    name="pyd-colour-blind",
    dark=True,
    background="#0f1319",
    panel="#1a212b",
    cursor="#24364f",
    cursor_blur="#1c2531",
    selection="#4a4a4a",
    text="#e4e7eb",
    dim="#939eac",
    faint="#3a4553",
    accent="#f0e442",
    good="#56b4e9",
    warn="#e69f00",
    bad="#ff7f50",
    info="#d58fb8",
    sources=("#56b4e9", "#e69f00", "#2fc79b", "#d58fb8", "#f0e442", "#ff7f50"),
)
"""After the palette of Okabe and Ito (2008), told apart by every kind of eyes: well is blue, ill is orange."""

SIXTEEN = Palette(
    name="pyd-16",
    dark=True,
    background="ansi_default",
    panel="ansi_default",
    cursor="ansi_cursor",
    cursor_blur="ansi_default",
    selection="ansi_default",
    text="ansi_default",
    dim="ansi_default",
    faint="ansi_default",
    accent="ansi_cyan",
    good="ansi_green",
    warn="ansi_yellow",
    bad="ansi_red",
    info="ansi_magenta",
    sources=("ansi_blue", "ansi_yellow", "ansi_green", "ansi_magenta", "ansi_cyan", "ansi_red"),
    ansi=True,
)

PLAIN = Palette(
    name="pyd-plain",
    dark=True,
    background="ansi_default",
    panel="ansi_default",
    cursor="ansi_cursor",
    cursor_blur="ansi_default",
    selection="ansi_default",
    text="ansi_default",
    dim="ansi_default",
    faint="ansi_default",
    accent="ansi_default",
    good="ansi_default",
    warn="ansi_default",
    bad="ansi_default",
    info="ansi_default",
    sources=("ansi_default",) * 6,
    plain=True,
    ansi=True,
)

PALETTES = {palette.name: palette for palette in (DARK, LIGHT, HIGH_CONTRAST, COLOUR_BLIND, SIXTEEN, PLAIN)}
PREFIX = "pyd-"
"""Keeps the names apart from those of Textual's own themes."""


def preferred(theme: str = "auto", environ: os._Environ[str] | dict[str, str] = os.environ) -> Palette:
    """Returns the palette to begin with.

    `NO_COLOR` (no-color.org) wins; then the theme that is set; then what is known of the terminal: few colours by its
    name, its ground by `COLORFGBG`, in which terminals that set it name their background last (`0;15`).
    """
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return PLAIN
    if chosen := PALETTES.get(PREFIX + theme):
        return chosen
    if environ.get("TERM", "") in _FEW_COLOURS and not environ.get("COLORTERM"):
        return SIXTEEN
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if ground in {"7", "15"} else DARK


_FEW_COLOURS = frozenset({"linux", "xterm", "xterm-16color", "screen", "tmux", "ansi", "vt220", "rxvt", "cygwin"})
"""Terminals that promise 16 colours at most (terminfo, `colors`)."""


def palette_of(app: App[Any]) -> Palette:
    """Returns the palette that an app shows now."""
    return PALETTES.get(app.theme, DARK)
