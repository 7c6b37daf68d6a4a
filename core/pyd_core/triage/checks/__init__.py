"""Checks of the objects that an error message names: ports, paths, sockets, disks, containers."""
