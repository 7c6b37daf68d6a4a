"""What containers, images, networks, volumes, events and stats are.

msgspec Structs that decode straight from Engine API JSON and encode back to it: the engine client reads them, an engine
writes them, the dashboard shows them. There is one set of types, no "wire" and "domain" copies. One noun is one file.
"""
