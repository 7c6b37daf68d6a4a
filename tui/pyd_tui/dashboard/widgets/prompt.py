"""A line to type a filter or a search into; every key applies at once."""

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

MAX_REFOCUS_RETRIES = 1000
"""Times that a key typed after the end is posted again, until the owner has moved the focus."""


class Prompt(Line, can_focus=True):
    """Shows the typed text with notes after it; keys come to it while it has the focus.

    The cursor doesn't blink: blinking would send bytes for ever.
    """

    class Typed(Message):
        """Base of the messages of `control`."""

        def __init__(self, prompt: Prompt) -> None:
            super().__init__()
            self._prompt = prompt

        @property
        def control(self) -> Prompt:
            """The prompt that sent it."""
            return self._prompt

    class Changed(Typed):
        """The text has changed."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__(prompt)
            self.text = text

    class Done(Typed):
        """Typing has ended; `kept` is False if it was cancelled."""

        def __init__(self, prompt: Prompt, *, kept: bool) -> None:
            super().__init__(prompt)
            self.kept = kept

    def __init__(self, *, id: str, sign: str = "/") -> None:
        super().__init__(id=id)
        self.text = ""
        self.cursor = 0
        """The cursor's offset in the text."""
        self.complete: Callable[[str], str] | None = None
        """Completes the typed text, on tab."""
        self.sign = sign
        """The sign before the text, which shows its purpose."""
        self._reposted = -1
        """Keys posted again since typing ended; negative while typing."""
        self._notes: Cell = EMPTY
        self._status: Cell = EMPTY

    def set_notes(self, notes: Cell, status: Cell) -> None:
        """Show notes after the text, and a status on the right."""
        if (notes, status) != (self._notes, self._status):
            self._notes, self._status = notes, status
            self.repaint_line()

    def set_text(self, text: str) -> None:
        """Replace the text."""
        self.cursor = len(text)
        if text != self.text:
            self.text = text
            self.repaint_line()

    def ground(self, palette: StylePalette) -> str:
        """Return the background colour, that of the content below."""
        return palette.background

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the text with its cursor and the notes, and the status."""
        pieces: list[Span] = []
        if self.text or self.has_focus:
            pieces += (Span(f"{self.sign} ", "accent"), *self.edited_text(room - 4), Span("  "))
        return (*pieces, *self._notes), self._status

    def edited_text(self, room: int) -> Cell:
        """Return the text with the cursor; of a long text the part around the cursor."""
        if not self.has_focus:
            return (*cell(self.text, "strong"), Span(" "))
        begin = max(0, self.cursor - max(8, room - 1))
        before, after = self.text[begin : self.cursor], self.text[self.cursor :]
        return (
            *((Span("…", "dim"),) if begin else ()),
            *cell(before[1:] if begin else before, "strong"),
            Span("▏", "accent"),
            *cell(after, "strong"),
        )

    def on_focus(self) -> None:
        """Show the cursor."""
        self._reposted = -1
        self.repaint_line()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.repaint_line()

    def on_paste(self, event: events.Paste) -> None:
        """Insert the first line of pasted text."""
        event.stop()
        self._insert(safe((event.text.splitlines() or [""])[0]))

    def on_key(self, event: events.Key) -> None:
        """Edit the text."""
        if 0 <= self._reposted < MAX_REFOCUS_RETRIES:  # typed before the focus moved: no longer text
            self._reposted += 1
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
        """Apply an editing key; return False if the key isn't one."""
        match key:
            case "backspace" | "ctrl+h":
                self._cut(max(0, self.cursor - 1), self.cursor)
            case "delete" | "ctrl+d":
                self._cut(self.cursor, self.cursor + 1)
            case "ctrl+u":
                self._cut(0, self.cursor)
            case "ctrl+k":
                self._cut(self.cursor, len(self.text))
            case "ctrl+w":
                self._cut(self.text[: self.cursor].rstrip().rfind(" ") + 1, self.cursor)
            case "left" | "right" | "home" | "end" | "ctrl+a" | "ctrl+e":
                self._move(key)
            case _:
                return False
        return True

    def _end(self, *, kept: bool) -> None:
        self._reposted = 0
        self.post_message(self.Done(self, kept=kept))

    def _move(self, key: str) -> None:
        ends = {"home": 0, "ctrl+a": 0, "end": len(self.text), "ctrl+e": len(self.text)}
        self.cursor = ends.get(key, min(len(self.text), max(0, self.cursor + (1 if key == "right" else -1))))
        self.repaint_line()

    def _insert(self, text: str) -> None:
        self._type(self.text[: self.cursor] + text + self.text[self.cursor :], self.cursor + len(text))

    def _cut(self, begin: int, end: int) -> None:
        self._type(self.text[:begin] + self.text[end:], begin)

    def _type(self, text: str, cursor: int) -> None:
        self.set_text(text)
        self.cursor = cursor
        self.repaint_line()
        self.post_message(self.Changed(self, text))
