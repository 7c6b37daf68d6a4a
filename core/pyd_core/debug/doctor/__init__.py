"""What keeps a debug session from working here, in the order in which it would be met."""
