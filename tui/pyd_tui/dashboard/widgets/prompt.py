"""A line to type a filter or a search into; what it narrows follows every key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.events import Key as KeyEvent
from textual.message import Message

from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.theme.styles import StylePalette
from pyd_tui.dashboard.widgets.line import Line

if TYPE_CHECKING:
    from textual import events

PATIENCE = 1000
"""How often a key that came after the end of typing is given back, until whoever asked has moved the focus."""


class Prompt(Line, can_focus=True):
    """Shows what was typed, and further notes beside it; keys come to it while it has the focus.

    The cursor is a reversed blank that doesn't blink: blinking would send bytes for ever.
    """

    class Typed(Message):
        """Something was typed into `control`."""

        def __init__(self, prompt: Prompt) -> None:
            super().__init__()
            self._prompt = prompt

        @property
        def control(self) -> Prompt:
            """The prompt it is about."""
            return self._prompt

    class Changed(Typed):
        """The text is another."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__(prompt)
            self.text = text

    class Done(Typed):
        """Typing is over; `kept` is False when it was called off."""

        def __init__(self, prompt: Prompt, *, kept: bool) -> None:
            super().__init__(prompt)
            self.kept = kept

    def __init__(self, *, id: str, sign: str = "/") -> None:
        super().__init__(id=id)
        self.text = ""
        self.at = 0
        """Where in the text the cursor is."""
        self.complete: Callable[[str], str] | None = None
        """Goes on with what is typed, on tab."""
        self.sign = sign
        """What stands before the text, and says what it is for."""
        self._passed_on = -1
        """Keys given back since typing was over; negative while it isn't."""
        self._notes: Cell = EMPTY
        self._status: Cell = EMPTY

    def tell(self, notes: Cell, status: Cell) -> None:
        """Show notes behind the text, and a status on the right."""
        if (notes, status) != (self._notes, self._status):
            self._notes, self._status = notes, status
            self.renew()

    def set_text(self, text: str) -> None:
        """Put another text there."""
        self.at = len(text)
        if text != self.text:
            self.text = text
            self.renew()

    def ground(self, palette: StylePalette) -> str:
        """It belongs to what is below it."""
        return palette.background

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the text with its cursor and the notes, and the status."""
        pieces: list[Span] = []
        if self.text or self.has_focus:
            pieces += (Span(f"{self.sign} ", "accent"), *self.typed(room - 4), Span("  "))
        return (*pieces, *self._notes), self._status

    def typed(self, room: int) -> Cell:
        """Return the text with the cursor in it; of a long one the part around the cursor."""
        if not self.has_focus:
            return (*cell(self.text, "strong"), Span(" "))
        begin = max(0, self.at - max(8, room - 1))
        before, behind = self.text[begin : self.at], self.text[self.at :]
        return (
            *((Span("…", "dim"),) if begin else ()),
            *cell(before[1:] if begin else before, "strong"),
            Span("▏", "accent"),
            *cell(behind, "strong"),
        )

    def on_focus(self) -> None:
        """Show the cursor."""
        self._passed_on = -1
        self.renew()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.renew()

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted."""
        event.stop()
        self._insert(safe((event.text.splitlines() or [""])[0]))

    def on_key(self, event: events.Key) -> None:
        """Edit the text."""
        if 0 <= self._passed_on < PATIENCE:  # typed before the focus had moved on: it is no text any more
            self._passed_on += 1
            event.stop()
            event.prevent_default()
            self.app.post_message(KeyEvent(event.key, event.character))
            return
        if event.key in {"enter", "escape"}:
            self._end(kept=event.key == "enter")
        elif event.key == "tab" and self.complete is not None:
            self.set_text(self.complete(self.text))
            self.post_message(self.Changed(self, self.text))
        elif not self._edit(event.key):
            if event.key in {"tab", "shift+tab", "ctrl+c"} or event.character is None or not event.is_printable:
                return
            self._insert(event.character)
        event.stop()
        event.prevent_default()

    def _edit(self, key: str) -> bool:
        """Do what a key does to the text or the cursor; False when it does nothing."""
        match key:
            case "backspace" | "ctrl+h":
                self._cut(max(0, self.at - 1), self.at)
            case "delete" | "ctrl+d":
                self._cut(self.at, self.at + 1)
            case "ctrl+u":
                self._cut(0, self.at)
            case "ctrl+k":
                self._cut(self.at, len(self.text))
            case "ctrl+w":
                self._cut(self.text[: self.at].rstrip().rfind(" ") + 1, self.at)
            case "left" | "right" | "home" | "end" | "ctrl+a" | "ctrl+e":
                self._move(key)
            case _:
                return False
        return True

    def _end(self, *, kept: bool) -> None:
        self._passed_on = 0
        self.post_message(self.Done(self, kept=kept))

    def _move(self, key: str) -> None:
        ends = {"home": 0, "ctrl+a": 0, "end": len(self.text), "ctrl+e": len(self.text)}
        self.at = ends.get(key, min(len(self.text), max(0, self.at + (1 if key == "right" else -1))))
        self.renew()

    def _insert(self, text: str) -> None:
        self._type(self.text[: self.at] + text + self.text[self.at :], self.at + len(text))

    def _cut(self, begin: int, end: int) -> None:
        self._type(self.text[:begin] + self.text[end:], begin)

    def _type(self, text: str, at: int) -> None:
        self.set_text(text)
        self.at = at
        self.renew()
        self.post_message(self.Changed(self, text))
