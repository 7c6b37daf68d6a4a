"""Kernel seams: namespaces, the mount API, cgroups, /proc, the kernel log; a leaf that knows nothing of containers."""
