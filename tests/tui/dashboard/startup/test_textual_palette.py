"""Textual without its own command palette."""

from __future__ import annotations

import subprocess
import sys

PALETTE_IS_LEFT_OUT = """
import sys
import pyd_tui.dashboard.app
from pyd_tui.dashboard.startup.textual_palette import StandIn
assert isinstance(sys.modules["textual.command"], StandIn)
assert not {"textual.widgets._input", "textual.widgets._select", "textual.widgets._tree"} & set(sys.modules)
assert issubclass(sys.modules["textual.theme"].ThemeProvider, sys.modules["textual.command"].Provider)
"""

LOADED_MODULE_STAYS = """
import sys
import textual.app
import pyd_tui.dashboard
assert hasattr(sys.modules["textual.command"].CommandPalette, "run_on_select")
"""


def test_the_dashboard_is_loaded_without_textuals_palette_and_its_widgets():
    subprocess.run([sys.executable, "-c", PALETTE_IS_LEFT_OUT], check=True)


def test_a_palette_that_is_loaded_already_stays():
    subprocess.run([sys.executable, "-c", LOADED_MODULE_STAYS], check=True)
