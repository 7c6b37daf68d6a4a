"""A swarm of three nodes with a stack on it, as the Engine API's JSON; one task fails, one node is drained."""

from __future__ import annotations

from typing import Any

from support.scripted_resources import identity

MADE = "2023-11-13T08:00:00.5Z"


def _node(name: str, address: str, **more: Any) -> dict[str, Any]:
    return {
        "ID": identity(name)[:25],
        "CreatedAt": MADE,
        "Spec": {"Role": "worker", "Availability": "active", **more.pop("Spec", {})},
        "Description": {
            "Hostname": name,
            "Platform": {"Architecture": "x86_64", "OS": "linux"},
            "Resources": {"NanoCPUs": 8_000_000_000, "MemoryBytes": 32 << 30},
            "Engine": {"EngineVersion": "26.1.5"},
        },
        "Status": {"State": "ready", "Addr": address},
        **more,
    }


NODES = [
    _node(
        "alpha",
        "10.0.0.11",
        Spec={"Role": "manager"},
        ManagerStatus={"Leader": True, "Reachability": "reachable", "Addr": "10.0.0.11:2377"},
    ),
    _node("beta", "10.0.0.12"),
    _node("gamma", "10.0.0.13", Spec={"Availability": "drain"}, Status={"State": "down", "Addr": "10.0.0.13"}),
]


def _service(name: str, image: str, running: int, replicas: int, **more: Any) -> dict[str, Any]:
    labels = {"com.docker.stack.namespace": "shop"} if name.startswith("shop_") else {}
    return {
        "ID": identity(name)[:25],
        "CreatedAt": MADE,
        "UpdatedAt": "2023-11-14T20:00:00Z",
        "Spec": {
            "Name": name,
            "Labels": labels,
            "TaskTemplate": {
                "ContainerSpec": {"Image": f"{image}@sha256:{identity(image)}"},
                "Resources": {"Limits": {"NanoCPUs": 500_000_000, "MemoryBytes": 256 << 20}},
                "RestartPolicy": {"Condition": "on-failure"},
                "Placement": {"Constraints": ["node.labels.disk==ssd"]},
            },
            "Mode": {"Replicated": {"Replicas": replicas}},
        },
        "Endpoint": {},
        "ServiceStatus": {"RunningTasks": running, "DesiredTasks": replicas},
        **more,
    }


SERVICES = [
    _service(
        "shop_web",
        "registry.example.com/shop/web:2.14.0",
        2,
        3,
        Endpoint={"Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080}]},
        UpdateStatus={"State": "updating", "Message": "update in progress"},
    ),
    _service("shop_db", "postgres:16.4", 1, 1),
    _service("shop_mailer", "registry.example.com/shop/mailer:1.0", 0, 1),
    _service("metrics", "prom/node-exporter:v1.8", 2, 2),
]


def _task(service: str, slot: int, node: int, state: str, error: str = "") -> dict[str, Any]:
    return {
        "ID": identity(f"{service}.{slot}.{node}.{state}")[:25],
        "CreatedAt": MADE,
        "ServiceID": identity(service)[:25],
        "Slot": slot,
        "NodeID": NODES[node]["ID"],
        "Spec": {
            "ContainerSpec": {
                "Image": next(s for s in SERVICES if s["Spec"]["Name"] == service)["Spec"]["TaskTemplate"][
                    "ContainerSpec"
                ]["Image"]
            }
        },
        "Status": {"State": state, "Timestamp": "2023-11-14T21:30:00Z", "Err": error},
        "DesiredState": "running" if state in {"running", "pending"} else "shutdown",
    }


TASKS = [
    _task("shop_web", 1, 0, "running"),
    _task("shop_web", 2, 1, "running"),
    _task("shop_web", 3, 2, "pending", "no suitable node (scheduling constraints not satisfied on 3 nodes)"),
    _task("shop_db", 1, 0, "running"),
    _task("shop_mailer", 1, 1, "failed", "task: non-zero exit (78)"),
    _task("metrics", 1, 0, "running"),
    _task("metrics", 2, 1, "running"),
]
SWARM: dict[str, Any] = {
    "/services": SERVICES,
    "/tasks": TASKS,
    "/nodes": NODES,
}
"""What paths answer beside those of containers and things."""
HEADERS = {"swarm": "active/manager"}
"""What such an engine says of itself with every answer (Engine API, `SystemPing`)."""
