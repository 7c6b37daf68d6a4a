"""Configuration: the user's settings file, and the dashboard's saved state."""
