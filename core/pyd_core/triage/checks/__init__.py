"""Looking at what an error message names: ports, paths, sockets, disks, containers."""
