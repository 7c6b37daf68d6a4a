"""A registry of our own on localhost: Debian's docker-registry, plain, or with TLS and a password."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.missing import missing
from support.tls import Certificates

USER, PASSWORD = "tester", "secret-word"
HTPASSWD = f"{USER}:$2b$05$y7CWtEdiUYF2XWnTy5y4jeSEZlSbpX5A5hqf3B2rqy1/FDmPtW5k6\n"
"""Made by bcrypt, the only form the registry takes."""


@dataclass(frozen=True)
class Registry:
    """A running registry."""

    address: str
    """`HOST:PORT`, as image names begin."""
    home: Path

    @property
    def docker_config(self) -> dict[str, str]:
        """The environment in which the docker CLI is logged in there."""
        directory = self.home / "docker-config"
        directory.mkdir(exist_ok=True)
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (directory / "config.json").write_text(json.dumps({"auths": {self.address: {"auth": auth}}}))
        return {"DOCKER_CONFIG": str(directory)}

    @classmethod
    @contextmanager
    def started(
        cls, home: Path, *, host: str = "127.0.0.1", name: str = "", secured: bool = False
    ) -> Iterator[Registry]:
        """Run one until the block ends.

        Args:
            home: An empty directory for its files.
            host: The address it listens on.
            name: Its name; the address by default.
            secured: With TLS, by certificates in `home`, and a password.
        """
        if shutil.which("docker-registry") is None:
            missing("docker-registry")
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
        http: dict[str, object] = {"addr": f"{host}:{port}"}
        config: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(home / "data")}},
            "http": http,
        }
        if secured:
            certificates = Certificates.make(home / "tls", name=name or host)
            pair = (("certificate", "server.pem"), ("key", "server-key.pem"))
            http["tls"] = {key: str(certificates.directory / file) for key, file in pair}
            (home / "htpasswd").write_text(HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "tests", "path": str(home / "htpasswd")}}
        (home / "config.yml").write_text(json.dumps(config))  # YAML, as all JSON is
        process = subprocess.Popen(
            ["docker-registry", "serve", str(home / "config.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _until_it_listens(process, host, port)
            yield cls(f"{name or host}:{port}", home)
        finally:
            process.kill()
            process.wait()


def _until_it_listens(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, "the registry ended at once"
        try:
            socket.create_connection((host, port), timeout=5).close()
        except OSError:
            time.sleep(0.05)  # it has no other sign that it listens
        else:
            return
    raise AssertionError("the registry doesn't listen")
