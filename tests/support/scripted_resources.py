"""Images, networks, volumes and disk use of a scripted engine, as the Engine API's JSON."""

from __future__ import annotations

import hashlib
from typing import Any

WEEK = 7 * 24 * 3600
START = 1_700_000_000


def identity(name: str) -> str:
    """The id of a thing of this name."""
    return hashlib.sha256(name.encode()).hexdigest()


def image(tags: list[str], size: int, weeks: int, name: str = "") -> dict[str, Any]:
    return {
        "Id": f"sha256:{identity(name or tags[0])}",
        "RepoTags": tags,
        "RepoDigests": [],
        "Created": START - weeks * WEEK,
        "Size": size,
        "SharedSize": 0,
    }


WEB = "registry.example.com/shop/web:2.14.0"
IMAGES = [
    image([WEB, "registry.example.com/shop/web:latest"], 312 << 20, 1),
    image(["postgres:16.4"], 431 << 20, 9),
    image(["redis:7-alpine"], 41 << 20, 3),
    image(["traefik:v3.1"], 148 << 20, 30),
    image([], 298 << 20, 2, "left over"),
    image([], 77 << 20, 5, "left over too"),
]
HISTORY = [
    {"Created": START - WEEK, "CreatedBy": 'CMD ["node" "server.js"]', "Size": 0},
    {"Created": START - WEEK, "CreatedBy": "COPY /src /app # buildkit", "Size": 4 << 20},
    {
        "Created": START - WEEK,
        "CreatedBy": "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends nodejs # buildkit",
        "Size": 187 << 20,
    },
    {"Created": START - 9 * WEEK, "CreatedBy": "/bin/sh -c #(nop)  ENV LANG=C.UTF-8", "Size": 0},
    {
        "Created": START - 9 * WEEK,
        "CreatedBy": "/bin/sh -c #(nop) ADD file:1f4eb46669b5b6275af1 in / ",
        "Size": 121 << 20,
    },
]
NETWORKS = [
    {
        "Id": identity(name),
        "Name": name,
        "Driver": driver,
        "Scope": "local",
        "Created": "2023-11-01T08:00:00Z",
        "Internal": name == "shop_back",
        "IPAM": {"Config": [{"Subnet": f"172.{number}.0.0/16", "Gateway": f"172.{number}.0.1"}] if number else []},
    }
    for name, driver, number in (
        ("bridge", "bridge", 17),
        ("host", "host", 0),
        ("none", "null", 0),
        ("shop_default", "bridge", 18),
        ("shop_back", "bridge", 19),
        ("old_default", "bridge", 20),
    )
]
VOLUMES = [
    {
        "Name": name,
        "Driver": "local",
        "Mountpoint": f"/var/lib/docker/volumes/{name}/_data",
        "Scope": "local",
        "CreatedAt": "2023-11-02T09:30:00Z",
        "Labels": labels,
    }
    for name, labels in (
        ("shop_db", {"com.docker.compose.project": "shop"}),
        ("shop_uploads", {"com.docker.compose.project": "shop"}),
        (identity("anonymous"), {"com.docker.volume.anonymous": ""}),
    )
]
DISK = {
    "LayersSize": 1_207 << 20,
    "Images": IMAGES,
    "Volumes": [
        {**volume, "UsageData": {"Size": size, "RefCount": 1}}
        for volume, size in zip(VOLUMES, (5_800 << 20, 92 << 20, 310 << 20), strict=True)
    ],
    "BuildCache": [{"ID": "a", "Type": "regular", "Size": 700 << 20, "InUse": False, "Shared": False}],
}
INFO = {
    "Name": "docker-1",
    "ServerVersion": "26.1.5",
    "NCPU": 8,
    "MemTotal": 32 << 30,
    "Driver": "overlay2",
    "DockerRootDir": "/var/lib/docker",
    "OperatingSystem": "Debian GNU/Linux 13 (trixie)",
    "OSType": "linux",
    "KernelVersion": "6.12.48",
    "Architecture": "x86_64",
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "LoggingDriver": "json-file",
    "DefaultRuntime": "runc",
    "Images": 6,
    "Containers": 11,
    "ContainersRunning": 6,
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin"],
}

IMAGE = {
    "Architecture": "amd64",
    "Os": "linux",
    "RootFS": {"Type": "layers", "Layers": ["a", "b", "c"]},
    "Config": {"Cmd": ["node", "server.js"], "User": "node", "ExposedPorts": {"8080/tcp": {}}},
}

THINGS: dict[str, Any] = {
    "/info": INFO,
    "/images/json": IMAGES,
    "*/history": HISTORY,
    "/networks": NETWORKS,
    "/volumes": {"Volumes": VOLUMES},
    "/system/df": DISK,
    **{f"/images/{image['Id']}/json": {**image, **IMAGE, "Created": "2023-11-07T22:13:20Z"} for image in IMAGES},
    **{f"/networks/{network['Id']}": network for network in NETWORKS},
}
"""What paths answer beside those of containers."""
