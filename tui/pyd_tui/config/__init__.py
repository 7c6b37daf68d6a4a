"""What the user has set: the configuration file, and what the dashboard remembers from last time."""
