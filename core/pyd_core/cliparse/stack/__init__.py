"""Parser from Compose files to a swarm's services, networks, secrets and configs."""
