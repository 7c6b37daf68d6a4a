"""Parts of a screen, each showing one thing."""
