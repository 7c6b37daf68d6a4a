"""The engine itself: `/_ping`, `/version`, `/info`, `/events`."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

import pyd_core
from pyd_core.daemon.api.build_cache import cache_records
from pyd_core.daemon.api.encoding import full, json, line
from pyd_core.daemon.api.http import HandlerResult, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.routes import NEWEST, OLDEST, route
from pyd_core.daemon.containers import apparmor, listing, log_options
from pyd_core.daemon.images.load import architecture
from pyd_core.daemon.images.store import ImageRecord
from pyd_core.daemon.rows import show_rows
from pyd_core.daemon.times import moment
from pyd_core.errors import InvalidInput
from pyd_core.linux.tree import tree_size
from pyd_core.model.base import format_time
from pyd_core.model.image import ImageSummary
from pyd_core.model.system import PYDD, Component, DiskUsage, Info, Platform, Version
from pyd_core.model.volume import VolumeUsage

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

API = ".".join(map(str, NEWEST))
OLDEST_API = ".".join(map(str, OLDEST))
DF_TYPES = ("container", "image", "volume", "build-cache")
DF_TYPES_SINCE = (1, 42)
"""The API version since which the types of disk use can be selected."""
KERNEL_MEMORY_UNTIL = (1, 42)
"""The API version since which limits of the kernel's memory aren't reported."""
EVENT_FILTERS = {
    *("config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret"),
    *("service", "type", "volume"),
}


@route("GET", "/_ping")
async def ping(engine: Engine, request: HttpRequest) -> Response:
    """Respond to a ping; the headers hold the API version."""
    headers = {"Builder-Version": "2", "Swarm": "inactive", "Cache-Control": "no-cache, no-store, must-revalidate"}
    return HandlerResult(body=b"OK", kind="text/plain; charset=utf-8", headers={**headers, "Pragma": "no-cache"})


@route("GET", "/version")
async def version(engine: Engine, request: HttpRequest) -> Response:
    """Return the engine's version."""
    kernel = os.uname().release
    programs = {engine.runtime.name: engine.runtime.path, "conmon": engine.launcher.conmon}
    releases = await asyncio.gather(*map(engine.versions.of, programs.values()))
    return json(
        Version(
            platform=Platform(name=PYDD),
            version=pyd_core.__version__,
            api_version=API,
            min_api_version=OLDEST_API,
            os="linux",
            arch=architecture(),
            kernel_version=kernel,
            components=[
                Component(
                    name="Engine",
                    version=pyd_core.__version__,
                    details={
                        "ApiVersion": API,
                        "MinAPIVersion": OLDEST_API,
                        "Os": "linux",
                        "Arch": architecture(),
                        "KernelVersion": kernel,
                        "Experimental": "false",
                        "GitCommit": "",
                        "GoVersion": "",
                        "BuildTime": "",
                    },
                ),
                *(
                    Component(name=name, version=release.version, details={"GitCommit": release.commit, "Path": path})
                    for (name, path), release in zip(programs.items(), releases, strict=True)
                ),
            ],
        )
    )


def _operating_system(field: str, default: str = "") -> str:
    """Return a field of os-release(5)."""
    try:
        return platform.freedesktop_os_release().get(field, default)
    except OSError:
        return default


@route("GET", "/info")
async def info(engine: Engine, request: HttpRequest) -> Response:
    """Count the engine's objects and describe the host."""
    states = [container.record.status for container in engine.containers.all()]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    unified = engine.unified
    runtime = (await engine.versions.of(engine.runtime.path)).version
    if not engine.runtime.is_runc:  # the field has runc's name for any runtime
        runtime = f"{engine.runtime.name} {runtime}".strip()
    body: dict[str, Any] = full(
        Info(
            id=engine.config.instance or "pyd",
            name=os.uname().nodename,
            containers=len(states),
            containers_running=states.count("running") + states.count("restarting"),
            containers_paused=states.count("paused"),
            containers_stopped=len(states) - sum(states.count(state) for state in ("running", "paused", "restarting")),
            images=len(engine.images),
            driver="overlay2",
            driver_status=[["Supports d_type", "true"], ["driver-type", "io.containerd.snapshotter.v1"]],
            docker_root_dir=str(engine.config.root),
            logging_driver="json-file",
            cgroup_driver="cgroupfs",
            cgroup_version="2" if unified else "1",
            kernel_version=os.uname().release,
            operating_system=_operating_system("PRETTY_NAME", "Linux"),
            os_type="linux",
            architecture=platform.machine(),
            ncpu=os.cpu_count() or 1,
            mem_total=memory,
            server_version=pyd_core.__version__,
            default_runtime=engine.runtime.name,
            security_options=[
                *(["name=apparmor"] if apparmor.supported() else []),
                "name=seccomp,profile=builtin",
                *(["name=userns"] if engine.remapping is not None else []),
                *(["name=cgroupns"] if unified else []),
            ],
            warnings=[],
        )
    )
    limits = (
        "MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit", "IPv4Forwarding",
        "BridgeNfIptables", "BridgeNfIp6tables", "LiveRestoreEnabled",
    )  # fmt: skip
    body |= dict.fromkeys(limits, True)
    body |= {
        "OomKillDisable": not unified,
        "KernelMemoryTCP": not unified,
        **({"KernelMemory": not unified} if request.version < KERNEL_MEMORY_UNTIL else {}),
        "OSVersion": _operating_system("VERSION_ID"),
        "NFd": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - names are enough
        "NGoroutines": len(asyncio.all_tasks()),
        "ContainerdCommit": {"ID": "", "Expected": ""},
        "InitCommit": {"ID": "", "Expected": ""},
        "CDISpecDirs": engine.settings.cdi_spec_dirs,
        "Debug": False,
        "SystemTime": format_time(time.time_ns()),
        "NEventsListener": engine.events.listeners,
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "ipvlan", "macvlan", "null"],
            "Authorization": [],
            "Log": list(log_options.DRIVERS),
        },
        "RuncCommit": {"ID": runtime, "Expected": runtime},
        "Runtimes": {name: {"path": runtime.path} for name, runtime in engine.runtimes.all().items()},
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "IndexConfigs": {},
            "Mirrors": engine.settings.registry_mirrors,
        },
        "InitBinary": "tini",
        "ExperimentalBuild": False,
        "Isolation": "",
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "GenericResources": [],
    }
    if request.version < (1, 25):
        body["ExecutionDriver"] = "<not supported>"
        body["SecurityOptions"] = [option.partition(",")[0].removeprefix("name=") for option in body["SecurityOptions"]]
    return json(body)


@route("GET", "/system/df")
async def disk_usage(engine: Engine, request: HttpRequest) -> Response:
    """Report disk use."""
    kinds = request.many.get("type", []) if request.version >= DF_TYPES_SINCE else []
    for kind in kinds:
        if kind not in DF_TYPES:
            raise InvalidInput(f"unknown object type: {kind[:40]}")
    kinds = kinds or list(DF_TYPES)
    users = {record.name: len(engine.containers.using_volume(record.name)) for record in engine.volumes.all()}

    def measured() -> DiskUsage:
        return DiskUsage(
            layers_size=sum(layer.size for layer in engine.images.layers.all()),
            images=show_rows(engine.images.all(), lambda record: _image(engine, record)) if "image" in kinds else [],
            containers=listing.lines(engine.view, engine.images, engine.containers.all(), size=True)
            if "container" in kinds
            else [],
            volumes=(
                [
                    msgspec.structs.replace(
                        engine.volumes.view(volume),
                        usage_data=VolumeUsage(
                            size=tree_size(engine.volumes.path(volume.name)), ref_count=users[volume.name]
                        ),
                    )
                    for volume in engine.volumes.all()
                ]
                if "volume" in kinds
                else []
            ),
        )

    usage = await asyncio.to_thread(measured)
    records = await cache_records(engine) if "build-cache" in kinds else []
    body = full(msgspec.structs.replace(usage, build_cache=records))
    return json({**body, "BuilderSize": sum(record.size for record in records)})


def _image(engine: Engine, record: ImageRecord) -> ImageSummary:
    """Return an image's line, with the size that it shares with others."""
    others = {diff_id for other in engine.images.all() if other.id != record.id for diff_id in other.layers}
    shared = sum(engine.images.layers.get(diff_id).size for diff_id in record.layers if diff_id in others)
    summary = engine.images.summary(record, containers=len(engine.containers.using_image(record.id)))
    return msgspec.structs.replace(summary, shared_size=shared)


@route("GET", "/events")
async def events(engine: Engine, request: HttpRequest) -> Response:
    """Stream events."""
    filters = request.filters()
    unknown = set(filters) - EVENT_FILTERS
    if unknown:
        raise InvalidInput(f"invalid filter '{min(unknown)}'")
    since, until = (moment(request.query.get(name, ""), name) for name in ("since", "until"))
    if since is not None and until is not None and until < since:
        raise InvalidInput(
            f"`since` time ({request.query['since'][:40]}) cannot be after `until` time ({request.query['until'][:40]})"
        )

    async def lines() -> AsyncIterator[bytes]:
        async with aclosing(engine.events.listen(filters, since=since, until=until)) as happening:
            async for event in happening:
                old = {}
                if event.type in {"container", "image"}:
                    image = event.actor.attributes.get("image", "")
                    old = {"status": event.action, "id": event.actor.id, "from": image}
                yield line({**old, **full(event)})

    return StreamingResponse(chunks=lines())
