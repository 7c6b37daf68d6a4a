"""`pydd`, the embedded engine: the Docker Engine API over an OCI runtime, conmon, overlayfs, nftables and netlink.

One asyncio process. Containers are held by conmon, so that they and their logs outlive it; what it must remember lies
in one SQLite file (`store`), and every change that takes several steps can be finished or undone when it starts again.
"""
