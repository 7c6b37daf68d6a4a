"""All causes of verdicts, one file per family. Ids are part of the interface: new ones are added, none is renamed."""

from __future__ import annotations

from pyd_core.triage.causes import ending, engine, memory, pods, program, starting, state
from pyd_core.triage.causes.cause import Cause

CAUSES: dict[str, Cause] = {
    cause.id: cause for family in (ending, starting, memory, program, state, engine, pods) for cause in family.CAUSES
}
"""By id."""

__all__ = ["CAUSES", "Cause"]
