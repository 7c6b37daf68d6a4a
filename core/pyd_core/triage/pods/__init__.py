"""Triage of pods: their facts, and the collection of these."""
