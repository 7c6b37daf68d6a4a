"""`pydd`, the embedded engine: the Docker Engine API over an OCI runtime, conmon, overlayfs, nftables and netlink.

A single asyncio process. Containers are held by conmon, so that they and their logs outlive it. Its records are in an
SQLite file (`store`), and each change of several steps can be finished or undone at the next start.
"""
