"""Scenes of the pictures: fleets of scripted containers with their details, and the terminals' sizes."""

from __future__ import annotations

import io
import math
import tarfile
from typing import TYPE_CHECKING, Any

from pyd_core.watch.stats import Usage
from pyd_core.watch.usage_series import Series
from pyd_tui.dashboard.screens.main import DEBOUNCE_S
from support.dashboard import NOW_NS, Opened
from support.scripted_engine import START_NS, ScriptedEngine
from support.scripted_resources import WEB, identity
from support.scripted_swarm import HEADERS, SWARM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syrupy.assertion import SnapshotAssertion

SIZES = ((200, 50), (120, 40), (80, 24), (60, 20))
"""Columns and lines."""


async def in_sizes(
    dashboard: Opened, picture: SnapshotAssertion, name: str, sizes: Sequence[tuple[int, int]] = SIZES
) -> None:
    """Compare what is on the screen, in terminals of these sizes."""
    for columns, lines in sizes:
        await dashboard.resize(columns, lines)
        await dashboard.at_rest(1.1 * DEBOUNCE_S)  # the details of a row appear that long after the cursor reaches it
        assert dashboard.svg == picture(name=f"{name}-{columns}x{lines}")


SHOP = {"com.docker.compose.project": "shop"}
BLOG = {"com.docker.compose.project": "blog"}
HOUR = 3600 * 10**9
BACKUP: dict[str, Any] = {
    "health": "unhealthy",
    "probes": [(0, "ok"), (1, "dial tcp 10.0.0.9:443: connection refused\nno snapshot for 26 h")],
    "env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/bin",
        "RESTIC_PASSWORD=hunter2hunter2",
        "RESTIC_REPOSITORY=rest:https://backup:hunter2@vault.example.com/shop",
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI",
        "TZ=Europe/Berlin",
    ],
    "mounts": [
        {
            "Type": "volume",
            "Name": "shop_data",
            "Source": "/var/lib/docker/volumes/shop_data/_data",
            "Destination": "/data",
            "Driver": "local",
            "Mode": "z",
            "RW": False,
        },
        {"Type": "bind", "Source": "/etc/restic", "Destination": "/etc/restic", "RW": True, "Propagation": "rprivate"},
    ],
    "networks": {
        "backup_net": {
            "IPAddress": "172.20.0.7",
            "IPPrefixLen": 16,
            "Gateway": "172.20.0.1",
            "MacAddress": "02:42:ac:14:00:07",
            "Aliases": ["backup"],
            "DNSNames": ["backup", "restic"],
        },
    },
}


def fleet() -> ScriptedEngine:
    """Two projects and a few others, one of each state."""
    engine = ScriptedEngine()
    started: dict[str, Any] = {"started_ns": START_NS - 50 * HOUR}
    engine.add(
        "shop-web-1",
        image="registry.example.com/shop/web:2.14.0",
        labels=SHOP,
        memory_limit=512 << 20,
        health="healthy",
        ports=((80, 8080), (443, 8443)),
        **started,
    )
    engine.add(
        "shop-web-2",
        image="registry.example.com/shop/web:2.14.0",
        labels=SHOP,
        memory_limit=512 << 20,
        health="unhealthy",
        **started,
    )
    engine.add(
        "shop-db-1",
        image="postgres:16.4",
        labels=SHOP,
        memory_limit=2 << 30,
        health="healthy",
        ports=((5432, None),),
        **started,
    )
    engine.add("shop-cache-1", image="redis:7-alpine", labels=SHOP, **started)
    engine.add("blog-ghost-1", image="ghost:5", labels=BLOG, health="starting", ports=((2368, 80),))
    engine.add("traefik", image="traefik:v3.1", ports=((80, 80), (443, 443), (8080, 8080)))
    engine.add("backup", image="restic/restic:0.17", state="paused", **BACKUP)
    engine.add("shop-migrate-1", image="registry.example.com/shop/web:2.14.0", labels=SHOP, state="exited")
    engine.add(
        "shop-worker-1",
        image="registry.example.com/shop/worker:2.14.0",
        labels=SHOP,
        state="exited",
        exit_code=137,
        oom_killed=True,
    )
    engine.add("importer", image="sha256:" + "9f86d081884c7d65" * 4, state="exited", exit_code=1)
    engine.add("sidecar", image="scratch-app:1", state="created")
    return engine


LOG = (
    b"listening on :8080",
    b"\x1b[32mINFO\x1b[0m  GET /api/items 200 \x1b[2m12ms\x1b[0m",
    (
        b"\x1b[33mWARN\x1b[0m  slow query: SELECT * FROM items WHERE owner = $1 ORDER BY created_at DESC LIMIT 50"
        b" took 1840ms (threshold 500ms, plan cached, 3 workers)"
    ),
    b'{"level":"error","msg":"upstream timed out","service":"cart","attempt":3}',
    "größe 12 µs, 日本語のログ, naïve café".encode(),
)


def shop() -> ScriptedEngine:
    """Return the fleet with what its containers use, and an event."""
    engine = fleet()
    data = {"Type": "volume", "Name": "shop_db", "Destination": "/var/lib/postgresql/data", "RW": True}
    engine.get("shop-db-1").mounts = [data]
    for number, name in enumerate(("shop-web-1", "shop-web-2", "shop-db-1", "shop-migrate-1")):
        engine.get(name).networks = {
            "shop_default": {"IPAddress": f"172.18.0.{number + 2}", "IPPrefixLen": 16, "DNSNames": [name, "shop"]}
        }
    for network in ("shop_default", "shop_back"):
        engine.documents[f"/networks/{identity(network)}"] = {
            **engine.documents[f"/networks/{identity(network)}"],
            "Containers": {
                engine.get(name).id: {"Name": name, "IPv4Address": f"172.18.0.{number + 2}/16"}
                for number, name in enumerate(("shop-web-1", "shop-web-2", "shop-db-1"))
            },
        }
    engine.die("shop-web-2", 139)
    engine.start("shop-web-2")
    engine.health("shop-web-1", "unhealthy")
    engine.emit_of(engine.get("shop-db-1"), "oom")
    engine.emit("network", "connect", "n1", name="shop_default", type="bridge")
    engine.emit("image", "pull", WEB, name=WEB)
    return engine


def course(dashboard: Opened, engine: ScriptedEngine, name: str) -> None:
    """Give a container four minutes of history: a load that rises, a death, a start, a quieter time."""
    key = engine.get(name).id
    meter = dashboard.app.link.stats
    assert meter is not None
    meter._add = lambda *_: None  # type: ignore[method-assign]  # the scripted engine has no such course
    series = meter._series[key] = Series()
    for second in range(-240, 1):
        if -90 < second < -80:
            continue
        rising = second <= -90
        wave = 1 + math.sin(second / 9)
        series.add(
            Usage(
                time_ns=NOW_NS + second * 10**9,
                cpu_percent=(150 + second / 2) * wave / 2 if rising else 12 * wave,
                memory_bytes=((240 + second) * 3 + 40 << 20) if rising else 60 << 20,
                memory_limit=512 << 20,
                memory_peak=498 << 20,
                pids=9 if rising else 4,
                net_rx=180_000 * wave,
                net_tx=22_000 * wave,
                block_read=0.0,
                block_write=4_000_000 * wave if second % 60 < 7 else 0.0,
                throttled_ratio=0.3 if second < -120 else 0.0,
            )
        )
    meter._usage[key] = series.samples()[-1]


SCRIPT = b"""#!/usr/bin/env python3
# Serves orders.
import os

PORT = 8080


class Server:
    def start(self, host: str = "0.0.0.0") -> None:
        print(f"listening on {host}:{PORT}", os.getpid())
"""


def archive(top: str, entries: dict[str, bytes | str | None]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in {top: None if top.endswith("/") else entries[top], **entries}.items():
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode = START_NS // 10**9, 0o755 if content is None else 0o644
            if content is None:
                entry.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def work() -> ScriptedEngine:
    engine = ScriptedEngine()
    shop = {"com.docker.compose.project": "shop"}
    for name, state in (("shop-db-1", "running"), ("shop-web-1", "running"), ("shop-worker-1", "exited")):
        engine.add(
            name,
            image=f"registry.example.com/{name[:-2]}:2.14",
            state=state,
            labels=shop,
            env=["DB_PASSWORD=x", "TZ=UTC"],
        )
    put_files(engine)
    return engine


def put_files(engine: ScriptedEngine) -> None:
    """Give the containers a file system."""
    engine.archives["/"] = archive(
        "root/",
        {"root/bin": "usr/bin", "root/etc/": None, "root/var/": None, "root/serve.py": SCRIPT, "root/.dockerenv": b""},
    )
    engine.archives["/serve.py"] = archive("serve.py", {"serve.py": SCRIPT})
    engine.archives["/.dockerenv"] = archive(".dockerenv", {".dockerenv": bytes(range(256)) * 3})
    engine.documents["*/changes"] = [{"Path": "/var", "Kind": 0}, {"Path": "/serve.py", "Kind": 1}]


def everything() -> ScriptedEngine:
    """Return containers, what they use, a swarm, files, and logs with every kind of line."""
    engine = shop()
    engine.headers |= HEADERS
    engine.documents |= SWARM
    put_files(engine)
    for line in LOG * 12:
        engine.print("backup", line, stderr=b"error" in line)
    return engine
