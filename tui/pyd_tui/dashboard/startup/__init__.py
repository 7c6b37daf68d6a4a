"""Opening the dashboard: settings, saved state and the first screen."""
