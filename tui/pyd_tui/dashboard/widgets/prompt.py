"""A line to type a filter or a search into; what it narrows follows every key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key as KeyEvent
from textual.message import Message

from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, cell
from pyd_tui.dashboard.theme import Palette
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
        self.sign = sign
        """What stands before the text, and says what it is for."""
        self._passed_on = 0
        """Keys given back since typing was over; negative while it isn't."""
        self._notes: Cell = EMPTY
        self._status: Cell = EMPTY

    def tell(self, notes: Cell, status: Cell) -> None:
        """Shows notes behind the text, and a status on the right."""
        if (notes, status) != (self._notes, self._status):
            self._notes, self._status = notes, status
            self.renew()

    def set_text(self, text: str) -> None:
        """Puts another text there."""
        if text != self.text:
            self.text = text
            self.renew()

    def ground(self, palette: Palette) -> str:
        """It belongs to what is below it."""
        return palette.background

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Returns the text with its cursor and the notes, and the status."""
        del room
        pieces: list[Piece] = []
        if self.text or self.has_focus:
            pieces += (Piece(f"{self.sign} ", "accent"), *cell(self.text, "strong"))
            pieces.append(Piece("▏", "accent") if self.has_focus else Piece(" "))
            pieces.append(Piece("  "))
        return (*pieces, *self._notes), self._status

    def on_focus(self) -> None:
        """Shows the cursor."""
        self._passed_on = -1
        self.renew()

    def on_blur(self) -> None:
        """Hides the cursor."""
        self.renew()

    def on_paste(self, event: events.Paste) -> None:
        """Takes the first line of what is pasted."""
        event.stop()
        self._type(self.text + safe((event.text.splitlines() or [""])[0]))

    def on_key(self, event: events.Key) -> None:
        """Edits the text."""
        if 0 <= self._passed_on < PATIENCE:  # typed before the focus had moved on: it is no text any more
            self._passed_on += 1
            event.stop()
            event.prevent_default()
            self.app.post_message(KeyEvent(event.key, event.character))
            return
        match event.key:
            case "enter":
                self._end(kept=True)
            case "escape":
                self._end(kept=False)
            case "backspace" | "ctrl+h":
                self._type(self.text[:-1])
            case "ctrl+u":
                self._type("")
            case "ctrl+w":
                self._type(self.text.rstrip().rpartition(" ")[0])
            case "tab" | "shift+tab" | "ctrl+c":
                return
            case _:
                if event.character is None or not event.is_printable:
                    return
                self._type(self.text + event.character)
        event.stop()
        event.prevent_default()

    def _end(self, *, kept: bool) -> None:
        self._passed_on = 0
        self.post_message(self.Done(self, kept=kept))

    def _type(self, text: str) -> None:
        self.set_text(text)
        self.post_message(self.Changed(self, text))
