"""Networks: bridges, addresses, containers' endpoints, published ports and names."""
