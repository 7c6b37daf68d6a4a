"""Styles of roles on background colours, made from a theme's palette."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

from rich.style import Style
from textual.theme import Theme

from pyd_tui.dashboard.render.pieces import Role, Source

_SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True, kw_only=True)
class StylePalette:
    """A theme's colours, as `#rrggbb` or as Textual names the terminal's own (`ansi_green`).

    Text colours keep a contrast of 4.5:1 on `background` (WCAG 2 AA); `faint` is for rules and marks, never for text.
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
    """Colours of interleaved containers, one for each source role."""
    plain: bool = False
    """Without colours: important text is bold, the rest is in the terminal's own style."""
    ansi: bool = False
    """In the terminal's own colours: its background stays, and bars are drawn in reverse."""
    _styles: dict[tuple[Role, str, bool], Style] = field(default_factory=dict, init=False, repr=False, compare=False)

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
        """Return the style of a role on a ground (a colour; None is the background); stale text is dimmed."""
        ground = ground or self.background
        key = (role, ground, stale)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._make(role, ground, stale=stale)
        return style

    def _make(self, role: Role, ground: str, *, stale: bool) -> Style:
        bold = role in {"strong", "title", "bad"} and not stale
        if self.ansi:
            on_bar = ground == self.cursor
            dim = (role in {"dim", "faint"} and not on_bar) or stale  # dim text on a reversed bar can't be read
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
    """Return one of the terminal's own colours as Rich names it; None is the terminal's text."""
    return None if colour == "ansi_default" else colour.removeprefix("ansi_")
