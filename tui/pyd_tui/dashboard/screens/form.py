"""A dialog with a few fields."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.containers import Vertical

from pyd_core.errors import PydError
from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.footer import key_hints
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.screens.dialog import Dialog, hint_at
from pyd_tui.dashboard.theme.styles import StylePalette
from pyd_tui.dashboard.widgets.block import TextBlock
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult


MAX_COLUMNS = 100
"""The width of a form on wide terminals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form.

    Attributes:
        name: The label.
        value: The initial value.
        hint: The syntax, shown while the field is empty.
    """

    name: str
    value: str = ""
    hint: str = ""


class FormLine(Prompt):
    """Edits one field, with its label."""

    def __init__(self, field: Field, *, id: str, label: int) -> None:
        super().__init__(id=id)
        self.field = field
        self.text = field.value
        self.cursor = len(field.value)
        self._label = label

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the label, the text with its cursor, and the hint."""
        label = (Span(f"{self.field.name:<{self._label}}  ", "accent" if self.has_focus else "dim"),)
        if not self.text and not self.has_focus:
            return (*label, Span(" "), *cell(self.field.hint, "dim")), EMPTY
        hint = cell(self.field.hint, "dim") if not self.text else EMPTY
        return (*label, *self.edited_text(room - self._label - 2), *hint), EMPTY


class FormTitle(Line):
    """A line with the dialog's background; keys in it take clicks."""

    def clicked(self, x: int) -> None:
        """Press the key whose hint was clicked."""
        key = hint_at(self.content(self.size.width)[0], x, keys_of(self.app).of("form"))
        if key is not None:
            self.app.simulate_key(key.keys[0])

    def ground(self, palette: StylePalette) -> str:
        """Return the dialog's background."""
        return palette.background


class Form(Dialog[Mapping[str, str] | None]):
    """Asks for several values.

    Args:
        title: The title.
        fields: The fields.
        check: Validates the values before the form closes; raises `PydError` if they are wrong.
        first: The name of the field that is edited first; by default the first one.
        verb: What accepting the values does, in one word.
    """

    DEFAULT_CSS = """
    Form Vertical { border: round $accent; padding: 1 1; width: 95%; max-width: 100; height: auto; }
    Form Vertical { background: $background; }
    """
    BINDINGS = bindings("form")

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        check: Callable[[Mapping[str, str]], object] = lambda _: None,
        *,
        first: str = "",
        verb: str = "apply",
    ) -> None:
        super().__init__()
        self._title = title
        self._fields = fields
        self._check = check
        self._first = first
        self._verb = verb

    def compose(self) -> ComposeResult:
        """Lay out the title, the fields, and the keys."""
        label = max(len(field.name) for field in self._fields)
        with Vertical():
            yield TextBlock(id="form-title")
            yield FormTitle(id="form-gap")
            for number, field in enumerate(self._fields):
                yield FormLine(field, id=f"field-{number}", label=label)
            yield FormTitle(id="form-said")
            yield FormTitle(id="form-keys")

    def on_mount(self) -> None:
        """Focus the first field."""
        self._lines = list(self.query(FormLine))
        known = [
            replace(key, label=self._verb) if key.action == "accept" else key
            for key in keys_of(self.app).of("form")
            if key.label
        ]
        if len(self._fields) == 1:
            known = [key for key in known if key.action != "next"]
        self.query_one("#form-keys", Line).put(key_hints(known, 60))
        self.set_focus(next((line for line in self._lines if line.field.name == self._first), self._lines[0]))

    def on_resize(self) -> None:
        """Wrap the title for the terminal's width."""
        room = max(20, min(MAX_COLUMNS, self.app.size.width * 95 // 100) - 6)
        title = safe(self._title)
        lines = textwrap.wrap(f"{title[:1].upper()}{title[1:]}", room)
        self.query_one("#form-title", TextBlock).put([(Span(" "), *cell(line, "strong")) for line in lines])

    @property
    def values(self) -> dict[str, str]:
        """The values, by label."""
        return {line.field.name: line.text for line in self._lines}

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Clear the error about the former text."""
        event.stop()
        self.query_one("#form-said", Line).put(cell(""))

    def action_next(self) -> None:
        """Focus the next field."""
        self._step(1)

    def action_previous(self) -> None:
        """Focus the previous field."""
        self._step(-1)

    def _step(self, step: int) -> None:
        index = self._lines.index(self.focused) if isinstance(self.focused, FormLine) else 0
        self.set_focus(self._lines[(index + step) % len(self._lines)])

    def action_accept(self) -> None:
        """Close with the values, once every field has processed all typed text."""
        self._settle(self._lines)

    def _settle(self, lines: Sequence[FormLine]) -> None:
        if lines:
            lines[0].call_later(self._settle, lines[1:])
        else:
            self._accept()

    def _accept(self) -> None:
        try:
            self._check(self.values)
        except PydError as error:
            hint = f"  {error.hint}" if error.hint else ""
            self.query_one("#form-said", Line).put((*cell(error.message, "bad"), *cell(hint, "dim")))
            return
        self.dismiss(self.values)

    def action_cancel(self) -> None:
        """Close without values."""
        self.dismiss(None)
