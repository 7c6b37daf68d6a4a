"""An engine that answers from memory, for more containers than a machine could run: `recorded.py SOCKET COUNT`.

One recorded container is listed under COUNT names, a tenth of them running. It runs as a process of its own, so that
its work isn't counted with what it serves.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
from typing import Any

CREATED = 1_700_000_000
TARGET = re.compile(rb"[A-Z]+ (?:/v1\.\d+)?([^ ?]*)")


def summary(number: int) -> dict[str, Any]:
    """Return a container's entry in the list."""
    running = number % 10 == 0
    return {
        "Id": hashlib.sha256(str(number).encode()).hexdigest(),
        "Names": [f"/recorded-{number:05}"],
        "Image": "registry.example.com/team/service:1.4.2",
        "ImageID": "sha256:" + "ab" * 32,
        "Command": "/usr/bin/service --config /etc/service.toml",
        "Created": CREATED + number,
        "State": "running" if running else "exited",
        "Status": "Up 3 hours" if running else "Exited (0) 2 hours ago",
        "Ports": [{"IP": "127.0.0.1", "PrivatePort": 8080, "PublicPort": 20000 + number, "Type": "tcp"}]
        if running
        else [],
        "Labels": {"com.docker.compose.project": f"team{number % 20}", "com.docker.compose.service": "service"},
        "HostConfig": {"NetworkMode": "none"},
        "NetworkSettings": {"Networks": {}},
        "Mounts": [],
    }


def inspected(container: dict[str, Any]) -> dict[str, Any]:
    """Return its inspect data."""
    running = container["State"] == "running"
    state = {"Status": container["State"], "Running": running, "ExitCode": 0, "Pid": 0}
    state |= {
        "StartedAt": "2023-11-14T22:13:20Z",
        "FinishedAt": "0001-01-01T00:00:00Z" if running else "2023-11-14T23:00:00Z",
    }
    return {
        "Id": container["Id"],
        "Name": container["Names"][0],
        "Created": "2023-11-14T22:13:20Z",
        "Path": "/usr/bin/service",
        "Args": ["--config", "/etc/service.toml"],
        "State": state,
        "Image": container["ImageID"],
        "HostConfig": {"Memory": 0, "RestartPolicy": {"Name": "no"}},
        "Config": {"Image": container["Image"], "Env": ["A=b"] * 20, "Labels": container["Labels"]},
        "NetworkSettings": {"Networks": {}, "Ports": {}},
        "Mounts": [],
    }


class Recorded:
    """Serves requests on connections that are kept; events never come."""

    def __init__(self, count: int) -> None:
        containers = [summary(number) for number in range(count)]
        self._fixed = {
            "/_ping": b"OK",
            "/version": json.dumps({"Version": "26.1.5", "ApiVersion": "1.45"}).encode(),
            "/info": json.dumps({"Name": "recorded", "NCPU": 8}).encode(),
            "/containers/json": json.dumps(containers).encode(),
        }
        self._known = {container["Id"]: container for container in containers}

    def answer(self, path: str) -> bytes | None:
        """Return the body of a response, or None without one."""
        if path in self._fixed:
            return self._fixed[path]
        parts = path.split("/")
        if len(parts) == 4 and parts[3] == "json" and parts[2] in self._known:
            return json.dumps(inspected(self._known[parts[2]])).encode()
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other side hangs up."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                match = TARGET.match(head)
                path = match[1].decode() if match else ""
                if path == "/events" or path.endswith(("/logs", "/stats")):
                    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    await writer.drain()
                    await reader.read()
                    return
                body = self.answer(path)
                status = "200 OK" if body is not None else "404 Not Found"
                body = body or b'{"message":"no such page"}'
                writer.write(
                    f"HTTP/1.1 {status}\r\nApi-Version: 1.45\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


async def main(path: str, count: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_unix_server(Recorded(count).serve, path, limit=2**20)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
