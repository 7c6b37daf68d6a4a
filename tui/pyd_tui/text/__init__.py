"""Short texts shared by the command line and the dashboard: ports and curves."""
