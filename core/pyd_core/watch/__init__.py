"""The live state of an engine's containers, fed by its event stream, and the history of their deaths."""
