"""Why a container died, or what is wrong with it: evidence in, verdict out.

`collect` gathers evidence into a `Case` and notes what it could not read; `rules` hold small declared rules, each of
which may conclude a cause from the case; `verdict` picks the best supported one and names what contributed.
"""
