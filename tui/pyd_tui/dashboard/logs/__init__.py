"""Log lines as the dashboard holds them."""
