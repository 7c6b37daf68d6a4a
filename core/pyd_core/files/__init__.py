"""A container's files, running or not, read without changing anything: where they lie, else through the engine."""
