"""The one worker of the engine, and the capabilities of its builder."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable

import pyd_core
from pyd_core.buildkit.proto.caps_pb2 import APICap
from pyd_core.buildkit.proto.ops_pb2 import Platform
from pyd_core.buildkit.proto.worker_pb2 import BuildkitVersion, WorkerRecord
from pyd_core.daemon.build.solver.emulation import runnable_platforms

_LLB = """
source.image source.image.resolvemode
source.local source.local.unique source.local.sessionid source.local.includepatterns source.local.followpaths
source.local.excludepatterns source.local.sharedkeyhint source.local.differ
source.git source.git.keepgitdir source.git.fullurl source.git.httpauth source.git.mountsshsock source.git.subdir
source.http source.http.checksum source.http.perm soruce.http.uidgid source.ocilayout
exec.meta.base exec.meta.cgroup.parent exec.meta.network exec.meta.proxyenv exec.meta.security
exec.meta.setsdefaultpath exec.meta.ulimit exec.meta.removemountstubs.recursive
exec.mount.bind exec.mount.bind.readwrite-nooutput exec.mount.cache exec.mount.cache.sharing exec.mount.selector
exec.mount.tmpfs exec.mount.tmpfs.size exec.mount.secret exec.mount.ssh exec.secretenv exec.validexitcode
file.base file.rm.wildcard file.copy.includeexcludepatterns file.rm.nofollowsymlink
file.copy.alwaysreplaceexistingdestpaths file.copy.modestring file.symlink.create
constraints platform meta.ignorecache meta.description meta.exportcache mergeop diffop
exporter.image.annotations exporter.image.attestations exporter.sourcedateepoch exporter.multiple
gc.freespacefilter history.filter
"""
LLB_CAPABILITIES = tuple(_LLB.split())
"""Names of moby/buildkit's `solver/pb/caps.go`, its misspelling included."""

_GATEWAY = """
solve.base solve.inlinereturn resolveimage resolveimage.resolvemode readfile return returnmap readdir statfile
importcaches proto.refarray reference.output frontend.inputs gateway.solve.metadata gateway.exec
gateway.exec.extrahosts frontend.caps gateway.solve.evaluate gateway.warnings
"""
GATEWAY_CAPABILITIES = tuple(_GATEWAY.split())
"""Names of moby/buildkit's `frontend/gateway/pb/caps.go`."""

EXECUTOR_LABEL = "org.mobyproject.buildkit.worker.executor"
HOSTNAME_LABEL = "org.mobyproject.buildkit.worker.hostname"
HOST_GATEWAY_LABEL = "org.mobyproject.buildkit.worker.moby.host-gateway-ip"
"""What `--add-host NAME:host-gateway` stands for."""
SNAPSHOTTER_LABEL = "org.mobyproject.buildkit.worker.snapshotter"
"""Clients take an engine with this label for one that has all exporters."""


def capabilities(names: Iterable[str]) -> list[APICap]:
    """Return capabilities as messages."""
    return [APICap(ID=name, Enabled=True) for name in names]


def version() -> BuildkitVersion:
    """Return the builder's version."""
    return BuildkitVersion(package="pyd", version=f"v{pyd_core.__version__}", revision="")


async def worker(engine_id: str, host_gateway: Callable[[], Awaitable[str]]) -> WorkerRecord:
    """Describe the worker.

    Args:
        engine_id: Its id.
        host_gateway: Returns the host's address in the steps' network.
    """
    return WorkerRecord(
        ID=engine_id,
        Labels={
            EXECUTOR_LABEL: "oci",
            HOSTNAME_LABEL: os.uname().nodename,
            SNAPSHOTTER_LABEL: "overlayfs",
            HOST_GATEWAY_LABEL: await host_gateway(),
        },
        platforms=[
            Platform(OS=item.os, Architecture=item.architecture, Variant=item.variant) for item in runnable_platforms()
        ],
        BuildkitVersion=version(),
    )
