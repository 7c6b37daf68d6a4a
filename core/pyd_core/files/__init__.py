"""Read-only access to a container's files, running or not: on this machine where possible, else through the engine."""
