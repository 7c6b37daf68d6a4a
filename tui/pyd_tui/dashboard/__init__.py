"""The full-screen dashboard."""

from pyd_tui.dashboard.startup.textual_palette import leave_out

leave_out()  # before anything imports Textual
