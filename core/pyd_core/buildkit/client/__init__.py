"""Client of any engine's BuildKit: sessions, builds, their progress and their results."""
