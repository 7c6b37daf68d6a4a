"""The live picture of everything on an engine, fed by one event stream."""
