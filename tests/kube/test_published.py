"""Everything that the scripted server serves, held to the published models and to the recorded answers."""

from __future__ import annotations
