"""A page that a container serves."""

from __future__ import annotations

from support.docker import Docker

SERVER = "mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www"
"""What a busybox runs to serve `hello`."""


def wait_for_server(docker: Docker, name: str) -> None:
    """Wait until a container serves it."""
    docker("exec", name, "sh", "-c", "until wget -q -O- http://127.0.0.1/ >/dev/null 2>&1; do :; done")
