"""Files of `docker buildx bake`: targets in JSON, and the services of Compose files."""
