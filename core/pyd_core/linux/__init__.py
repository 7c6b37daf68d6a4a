"""Kernel interfaces: namespaces, mounts, cgroups, /proc, the kernel log. They know nothing about containers."""
