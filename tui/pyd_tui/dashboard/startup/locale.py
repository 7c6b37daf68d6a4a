"""The terminal's encoding, from the locale."""

from __future__ import annotations

import os
from collections.abc import Mapping


def utf8(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the terminal reads UTF-8 (locale(7): the first of these that is set counts)."""
    name = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return name.replace("-", "").casefold().endswith(("utf8", "utf8@euro"))
