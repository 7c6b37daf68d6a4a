"""A stand-in for Textual's own command palette, which the dashboard never opens: it has its own.

`textual.app` imports the palette, and with it the input, select, tree and option list widgets. They take a tenth of the
time in which all of Textual is loaded.
"""

from __future__ import annotations

import sys
from types import ModuleType

MODULE = "textual.command"


class StandIn(ModuleType):
    """Has a class of its own for each name that Textual imports from the module and subclasses."""

    def __getattr__(self, name: str) -> type:
        """Return a new class of that name.

        Raises:
            AttributeError: The import system asks for one of its own attributes.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        stand_in = type(name, (), {})
        setattr(self, name, stand_in)
        return stand_in


def leave_out() -> None:
    """Put the stand-in in the module's place, unless the module or Textual's app is loaded."""
    if "textual.app" not in sys.modules:
        sys.modules.setdefault(MODULE, StandIn(MODULE))
