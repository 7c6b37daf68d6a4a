"""Everything pyd knows about containers, without a terminal: engines, live state, logs, triage and the join."""

import sys

__version__ = "0.1.0"

# httpx loads its own command line (click, rich, pygments) when it is imported: 40 ms that nothing here has a use for.
# A name bound to None makes that one import fail, which httpx provides for; it has to be bound before any module asks.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
