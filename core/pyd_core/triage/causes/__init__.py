"""Every cause a verdict can name, a file a family. Ids are part of the interface: they are added to, never renamed."""

from __future__ import annotations

from pyd_core.triage.causes import ending, engine, memory, program, starting, state
from pyd_core.triage.causes.cause import Cause

CAUSES: dict[str, Cause] = {
    cause.id: cause for family in (ending, starting, memory, program, state, engine) for cause in family.CAUSES
}
"""By id."""

__all__ = ["CAUSES", "Cause"]
