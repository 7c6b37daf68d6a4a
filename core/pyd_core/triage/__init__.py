"""Triage: why a container died, or what is wrong with it.

`collect` gathers evidence into a `Case` and notes unavailable sources. `rules` contains small declared rules, each of
which may conclude a cause from the case. `verdict` picks the best supported cause and names contributing ones.
"""
