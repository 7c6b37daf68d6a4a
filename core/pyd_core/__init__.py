"""The core of pyd, without a terminal: engines, live state, logs, triage and debug sessions."""

import sys

__version__ = "0.2.0"

# Importing httpx also loads its command line (click, rich, pygments): 40 ms for nothing that is used here. A module
# bound to None makes that one import fail, which httpx handles; it must be bound before anything imports httpx.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
