"""Talking to an engine: endpoints, transports, and the Docker Engine API as typed noun objects."""
