"""The engine over TCP: with certificates on both sides, and not otherwise."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

from support.docker import Docker, busybox_files
from support.pydd import Pydd
from support.tls import Certificates


def test_only_clients_with_a_certificate_of_the_named_authority_are_served(tmp_path: Path):
    ours, others = (Certificates.make(tmp_path / name, name="127.0.0.1") for name in ("ours", "others"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    files = {"tlscacert": "ca.pem", "tlscert": "server.pem", "tlskey": "server-key.pem"}
    settings = tmp_path / "engine.json"
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        image = docker.image("tcp", busybox_files(), 'CMD ["/bin/sh"]')
        settings.write_text(json.dumps({"hosts": [host]}))
        engine.stop()
        refused = subprocess.run(engine.command("--settings", str(settings)), capture_output=True, check=False)
        assert refused.returncode == 125
        assert b"certificates on both sides" in refused.stderr
        named = {key: str(ours.directory / file) for key, file in files.items()}
        settings.write_text(json.dumps({"hosts": [host], **named}))
        engine.start("--settings", str(settings))

        def run(*arguments: str, certificates: Certificates | None, stdin: bytes = b"") -> tuple[int, bytes]:
            environ = {**os.environ, "DOCKER_HOST": host}
            if certificates is not None:
                environ |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates.directory)}
            done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, check=False, env=environ)
            return done.returncode, done.stdout

        through = ("run", "--rm", "-i", "--network", "none", image, "cat")
        assert run(*through, certificates=ours, stdin=b"x" * 100_000) == (0, b"x" * 100_000)
        for wrong in (None, others):
            assert run("ps", certificates=wrong)[0] != 0
        stolen = tmp_path / "stolen"  # knows whom to trust, and has nothing to show
        stolen.mkdir()
        (stolen / "ca.pem").write_bytes((ours.directory / "ca.pem").read_bytes())
        assert run("ps", certificates=Certificates(stolen))[0] != 0
