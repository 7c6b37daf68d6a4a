"""How people write what a container is to have: ports, mounts, sizes and the rest, as the docker CLI takes them."""
