"""How times, sizes and ports are put in few words: the same on the command line and in the dashboard."""
