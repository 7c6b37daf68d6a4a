"""The client's side of a build: what is sent to the engine."""
