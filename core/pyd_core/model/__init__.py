"""Types of the Engine API: containers, images, networks, volumes, events and stats.

The msgspec Structs decode directly from Engine API JSON and encode back to it. The engine client reads them, engines
write them, the dashboard shows them: a single set of types, without separate wire and domain copies. One resource is
one file.
"""
