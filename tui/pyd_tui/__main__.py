"""`python -m pyd_tui`, for those who start pyd by its interpreter."""

from __future__ import annotations

from pyd_tui.cli import main

if __name__ == "__main__":
    main()
