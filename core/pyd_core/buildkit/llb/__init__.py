"""Builders of LLB, BuildKit's build graph; the operations themselves are its Protocol Buffers messages."""
