"""Everything pyd knows about containers, without a terminal: engines, live state, logs, triage and the join."""

__version__ = "0.1.0"
