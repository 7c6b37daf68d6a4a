"""Debug sessions: requests, credentials and processes; detached sessions are listed, attached to and ended."""
