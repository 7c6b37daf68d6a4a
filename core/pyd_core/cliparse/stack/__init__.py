"""A Compose file as a swarm takes it: services, networks, secrets and configs of the Engine API."""
