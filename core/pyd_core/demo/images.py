"""Images of the playground: one with only a web server, one with busybox under all its names."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

PAGE = b"""<!doctype html>
<title>pyd demo</title>
<h1>It works</h1>
<p>This container has a web server and no shell. Try: pyd debug pyd-demo-web</p>
"""
APPLETS = ("sh", "sleep", "echo", "date", "tail", "cat", "ls", "ps", "wget", "head", "true", "false")


def web_files(busybox: Mapping[str, Path]) -> bytes:
    """Return a tar with only the web server and its page, without a shell."""
    files: dict[str, Path | bytes | str] = {"usr/sbin/httpd": busybox["bin/busybox"], "www/index.html": PAGE}
    return _pack({**files, **{path: source for path, source in busybox.items() if path != "bin/busybox"}})


def shell_files(busybox: Mapping[str, Path]) -> bytes:
    """Return a tar with busybox and links for the programs that the playground uses."""
    links: dict[str, Path | bytes | str] = {f"bin/{name}": "busybox" for name in APPLETS}
    return _pack({**busybox, **links})


def _pack(files: Mapping[str, Path | bytes | str]) -> bytes:
    """Pack files: a path or bytes as a file, text as a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode = 0o755
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                tar.addfile(entry)
                continue
            data = content if isinstance(content, bytes) else content.read_bytes()
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()
