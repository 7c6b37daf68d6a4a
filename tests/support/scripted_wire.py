"""Responses of a scripted engine: its containers as the Engine API's JSON, and their logs as its streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyd_core.model.base import format_time
from support.scripted_resources import identity

START_NS = 1_700_000_000_000_000_000
"""2023-11-14T22:13:20Z."""


PROCESSES = {
    "Titles": ["USER", "PID", "PPID", "RSS", "STIME", "TIME", "COMMAND"],
    "Processes": [
        ["root", "4711", "4690", "9216", "22:13", "00:00:00", "nginx: master process nginx -g daemon off;"],
        ["101", "4760", "4711", "5120", "22:13", "00:00:03", "nginx: worker process"],
        ["101", "4761", "4711", "48640", "22:13", "00:01:42", "nginx: worker process"],
        ["root", "4802", "4761", "860", "23:01", "00:00:00", "sh -c /probe"],
    ],
}
CHANGES = [
    {"Path": "/var/cache", "Kind": 0},
    {"Path": "/var/cache/nginx", "Kind": 1},
    {"Path": "/etc/nginx/default.conf", "Kind": 2},
]


@dataclass
class ScriptedContainer:
    """Container of a scripted engine; a direct change, not through `ScriptedEngine`, emits no event."""

    id: str
    name: str
    image: str
    state: str = "running"
    health: str = ""
    exit_code: int = 0
    oom_killed: bool = False
    tty: bool = False
    pid: int = 0
    created_ns: int = START_NS
    started_ns: int | None = None
    finished_ns: int | None = None
    restart_count: int = 0
    memory_limit: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    ports: tuple[tuple[int, int | None], ...] = ()
    """Private and public."""
    log: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Stream, time, and line with its newline."""
    cpu_ns: int = 0
    memory: int = 0
    env: list[str] = field(default_factory=list)
    probes: list[tuple[int, str]] = field(default_factory=list)
    """Exit code and output of health probes, the oldest first, a second apart."""
    mounts: list[dict[str, Any]] = field(default_factory=list)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: str = ""

    @property
    def running(self) -> bool:
        return self.state in {"running", "paused"}


def summary(container: ScriptedContainer) -> dict[str, Any]:
    status = {"created": "Created", "exited": f"Exited ({container.exit_code}) 5 minutes ago"}.get(
        container.state, "Up 5 minutes"
    )
    if container.running and container.health:
        status += f" (health: {container.health})" if container.health == "starting" else f" ({container.health})"
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.image,
        "Command": "/app",
        "Created": container.created_ns // 10**9,
        "State": container.state,
        "Status": status + (" (Paused)" if container.state == "paused" else ""),
        "Labels": container.labels,
        "Ports": summary_ports(container) if container.running else [],
        "ImageID": f"sha256:{identity(container.image)}",
        "Mounts": container.mounts,
        "NetworkSettings": {"Networks": container.networks},
    }


def fits(event: dict[str, Any], filters: Mapping[str, list[str]]) -> bool:
    verb = event["Action"].partition(":")[0]
    return (
        event["Type"] in filters.get("type", [event["Type"]])
        and event["Actor"]["ID"] in filters.get("container", [event["Actor"]["ID"]])
        and verb in filters.get("event", [verb])
    )


def nanoseconds(text: str | None) -> int | None:
    if text is None:
        return None
    whole, _, decimals = text.partition(".")
    return int(whole) * 10**9 + int(decimals.ljust(9, "0") or 0)


def framed(container: ScriptedContainer, entry: tuple[int, int, bytes]) -> bytes:
    stream, time_ns, line = entry
    data = format_time(time_ns).encode() + b" " + (line.replace(b"\n", b"\r\n") if container.tty else line)
    return data if container.tty else bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def log_of(container: ScriptedContainer, query: Mapping[str, str]) -> list[bytes]:
    since, until = nanoseconds(query.get("since")), nanoseconds(query.get("until"))
    entries = [
        entry
        for entry in container.log
        if (since is None or entry[1] >= since)
        and (until is None or entry[1] <= until)
        and query.get("stdout" if entry[0] == 1 else "stderr") == "1"
    ]
    if query.get("tail", "all") != "all":
        count = int(query["tail"])
        entries = entries[-count:] if count else []
    return [framed(container, entry) for entry in entries]


def summary_ports(container: ScriptedContainer) -> list[dict[str, Any]]:
    return [
        {"PrivatePort": private, "Type": "tcp", **({"PublicPort": public, "IP": "0.0.0.0"} if public else {})}  # noqa: S104
        for private, public in container.ports
    ]


def inspected(container: ScriptedContainer) -> dict[str, Any]:
    zero = "0001-01-01T00:00:00Z"
    state: dict[str, Any] = {
        "Status": container.state,
        "Running": container.running,
        "Paused": container.state == "paused",
        "OOMKilled": container.oom_killed,
        "Pid": container.pid,
        "ExitCode": container.exit_code,
        "StartedAt": format_time(container.started_ns) if container.started_ns else zero,
        "FinishedAt": format_time(container.finished_ns) if container.finished_ns else zero,
    }
    log = [_probe(*probe, number) for number, probe in enumerate(container.probes)]
    if container.health:
        state["Health"] = {
            "Status": container.health,
            "FailingStreak": 0,
            "Log": log,
        }
    ports = {
        f"{private}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(public)}] if public else None  # noqa: S104
        for private, public in container.ports
    }
    if container.error:
        state["Error"] = container.error
    config: dict[str, Any] = {
        "Image": container.image,
        "Labels": container.labels,
        "Tty": container.tty,
        "Cmd": ["/app"],
    }
    if container.env:
        config["Env"] = container.env
    if container.probes:
        config["Healthcheck"] = {"Test": ["CMD-SHELL", "/probe"], "Interval": 5 * 10**9, "Retries": 3}
    return {
        "Id": container.id,
        "Created": format_time(container.created_ns),
        "Path": "/app",
        "Args": [],
        "State": state,
        "Image": "sha256:" + "0" * 64,
        "Name": f"/{container.name}",
        "RestartCount": container.restart_count,
        "Config": config,
        "HostConfig": {"Memory": container.memory_limit, "NetworkMode": "bridge"},
        "Mounts": container.mounts,
        "NetworkSettings": {"Ports": ports if container.running else {}, "Networks": container.networks},
    }


def _probe(code: int, output: str, number: int) -> dict[str, Any]:
    begin = START_NS + number * 10**9
    return {
        "Start": format_time(begin),
        "End": format_time(begin + 40_000_000),
        "ExitCode": code,
        "Output": output,
    }
