"""Tar archives as streams: one decoder for blocking and for asynchronous readers."""
