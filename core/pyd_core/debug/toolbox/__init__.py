"""The toolbox: Debian packages made to run from one directory inside any container."""

from __future__ import annotations

PREFIX = "/dev/.pyd"
"""Where the toolbox lies in the view of a session, and the only place its programs run from."""
