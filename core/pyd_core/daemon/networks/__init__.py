"""Networks: bridges, addresses, a container's place on them, published ports and names."""
