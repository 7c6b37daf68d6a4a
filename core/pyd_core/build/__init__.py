"""The client's side of a build: the context that is sent to the engine."""
