"""Compose against the engine: networks, volumes, a start that waits for health."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path

from support.docker import Docker
from support.missing import missing

FILE = """
services:
  db:
    image: {image}
    command: ["sh", "-c", "mkdir -p /www; echo db > /www/index.html; exec httpd -f -p 80 -h /www"]
    healthcheck: {{test: ["CMD", "wget", "-qO-", "http://127.0.0.1/"], interval: 100ms, retries: 100}}
    volumes: ["data:/data"]
    networks: [back]
  app:
    image: {image}
    command: ["sh", "-c", "mkdir -p /www; wget -qO /www/index.html http://db/ && exec httpd -f -p 80 -h /www"]
    depends_on: {{db: {{condition: service_healthy}}}}
    healthcheck: {{test: ["CMD", "wget", "-qO-", "http://127.0.0.1/"], interval: 100ms, retries: 100}}
    ports: ["127.0.0.1::80"]
    networks: [back, front]
  worker:
    image: {image}
    command: ["sh", "-c", "while :; do echo tick; sleep 0.1; done"]
    restart: unless-stopped
    networks: [front]
volumes: {{data: {{}}}}
networks: {{back: {{}}, front: {{}}}}
"""


def test_a_project_comes_up_in_order_is_used_and_is_removed_completely(docker: Docker, busybox: str, tmp_path: Path):
    (tmp_path / "compose.yml").write_text(FILE.format(image=busybox))
    project = docker.name("compose")

    def compose(*arguments: str) -> str:
        command = ["docker", "compose", "-p", project, "-f", str(tmp_path / "compose.yml"), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "DOCKER_HOST": docker.host}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0:
        missing("docker-compose")
    compose("up", "-d", "--wait")
    try:
        listed = {
            json.loads(line)["Service"]: json.loads(line) for line in compose("ps", "--format", "json").splitlines()
        }
        assert {name: service["State"] for name, service in listed.items()} == dict.fromkeys(
            ("db", "app", "worker"), "running"
        )
        port = listed["app"]["Publishers"][0]["PublishedPort"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            assert answer.read() == b"db\n"  # what the app fetched from db by its name when it started
        assert "tick" in compose("logs", "--tail", "3", "worker")
        assert compose("exec", "-T", "app", "wget", "-qO-", "http://db/") == "db\n"
        compose("restart", "-t", "0", "worker")
    finally:
        compose("down", "-v", "-t", "0")
    mine = f"label=com.docker.compose.project={project}"
    for listing in (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q")):
        assert docker(*listing, "--filter", mine) == ""
