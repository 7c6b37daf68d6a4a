"""Scan of an engine for broken containers and for risks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Literal

import msgspec

from pyd_core.client.provider import Provider, engine_of
from pyd_core.errors import NotFound, PydError
from pyd_core.humanize import size
from pyd_core.model.container import Container
from pyd_core.model.system import Info
from pyd_core.triage.collect.gather import SharedEvidence, gather
from pyd_core.triage.collect.host import file_system
from pyd_core.triage.evidence import Case, FileSystem, UnavailableSource
from pyd_core.triage.verdict import Verdict, decide

Level = Literal["broken", "soon", "advice"]

FILLING = 0.10
"""Share of free disk space below which a disk counts as filling."""


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue that an engine's administrator should know."""

    level: Level
    """`broken` now, `soon` to break, or `advice` only."""
    kind: str
    """A cause id, or one of `disk-filling`, `no-memory-limit`, `runs-as-root`, `latest-tag`, `published-everywhere`,
    `dangling-volumes`, `privileged`, `engine-socket`, `endpoints-not-ready`."""
    subjects: tuple[str, ...]
    """The affected containers, volumes or disks."""
    text: str
    advice: tuple[str, ...] = ()


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a scan, worst issues first."""

    concerns: tuple[Issue, ...]
    containers: int
    """The number of examined containers."""
    unread: tuple[UnavailableSource, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether anything is broken now."""
        return any(concern.level == "broken" for concern in self.concerns)


async def sweep(engine: Provider, *, progress: Callable[[int, int], None] | None = None) -> Sweep:
    """Examine every container, the engine's disks and its volumes.

    Args:
        engine: The engine.
        progress: Called with the number of examined containers and of all.
    """
    around = await SharedEvidence.of(engine, all_events=True)
    async with around.cluster.following() if around.cluster is not None else nullcontext():
        return await _examine(engine, around, progress)


async def _examine(engine: Provider, around: SharedEvidence, progress: Callable[[int, int], None] | None) -> Sweep:
    listed = await engine.containers.list(all=True)
    verdicts: list[Verdict] = []
    cases: list[Case] = []
    unread: dict[tuple[str, str], UnavailableSource] = {}
    for index, summary in enumerate(listed):
        try:
            case = await gather(engine, summary.id, around=around)
        except NotFound:
            continue  # removed between the two
        if case.pod is not None and case.pod.member.role == "ephemeral":
            continue  # a debug container that failed is no problem of its pod
        cases.append(case)
        verdicts.append(decide(case))
        # A single container's lost events or log don't matter for a scan; a source that can't be read for any does.
        unread.update({(gap.source, gap.reason): gap for gap in case.unread if gap.source in SHARED_SOURCES})
        if progress is not None:
            progress(index + 1, len(listed))
    if around.cluster is not None:
        from pyd_core.triage.pods.choose import distinct  # noqa: PLC0415 - engines don't need it

        verdicts = distinct(zip(cases, verdicts, strict=True))
    concerns = [concern for verdict in verdicts if (concern := issue_of(verdict)) is not None]
    if around.cluster is not None:
        issues, gaps = await around.cluster.issues()
        concerns += issues
        unread.update({(gap.source, gap.reason): gap for gap in gaps})
    concerns += _habits([case.container for case in cases], cluster=around.cluster is not None)
    concerns += await _engine_concerns(engine, local=around.local)
    concerns.sort(key=lambda concern: ORDER[concern.level])
    return Sweep(concerns=tuple(concerns), containers=len(cases), unread=tuple(unread.values()))


SHARED_SOURCES = frozenset({"kernel log", "cgroup", "pod events", "node"})
"""Sources that can't be read for any container if they can't for one."""

ORDER: dict[Level, int] = {"broken": 0, "soon": 1, "advice": 2}
"""Levels, worst first."""
_SOON = {"memory-near-limit", "cpu-throttled"}


def issue_of(verdict: Verdict) -> Issue | None:
    """Return the issue that a container's verdict is; None if the container is well."""
    if verdict.broken:
        level: Level = "broken"
    elif verdict.cause in _SOON:
        level = "soon"
    else:
        return None
    import shlex  # noqa: PLC0415 - as in verdicts

    return Issue(
        level=level,
        kind=verdict.cause,
        subjects=(verdict.name,),
        text=verdict.summary,
        advice=(f"pyd triage {shlex.quote(verdict.name)}", *verdict.advice[:1]),
    )


def _habits(containers: Iterable[Container], *, cluster: bool) -> list[Issue]:
    """Return risks of running containers, one issue per kind with all affected containers."""
    running = [container for container in containers if container.state.running]
    checks: list[tuple[str, str, str, Callable[[Container], bool]]] = [
        ("privileged", "may do anything on the host (--privileged)", "give the capabilities it needs instead",
         lambda c: c.host_config.privileged),
        ("engine-socket", "hold the engine's socket, which is root on the host", "put a filtering proxy between",
         lambda c: any(mount.source.endswith(("docker.sock", "podman.sock")) for mount in c.mounts)),
        ("published-everywhere", "publish ports on every address of the host", "publish on 127.0.0.1:PORT",
         _published_everywhere),
        ("no-memory-limit", "have no memory limit",
         "set resources.limits.memory in the template" if cluster else
         "pyd update --memory 512m --memory-swap 512m NAME",
         lambda c: c.host_config.memory == 0),
        ("runs-as-root", "run as root and add no capability that would need it", "set USER in the image, or --user",
         _root_without_need),
        ("latest-tag", "run an image without a fixed tag", "name a version or a digest",
         lambda c: _unpinned(c.config.image)),
    ]  # fmt: skip
    if cluster:  # a pod doesn't say as which user its image runs
        checks = [check for check in checks if check[0] != "runs-as-root"]
    concerns: list[Issue] = []
    for kind, text, advice, test in checks:
        names = tuple(sorted(container.name for container in running if test(container)))
        if names:
            concerns.append(Issue(level="advice", kind=kind, subjects=names, text=text, advice=(advice,)))
    return concerns


def _published_everywhere(container: Container) -> bool:
    bindings = container.network_settings.ports.values()
    return any(binding.host_ip in {"", "0.0.0.0", "::"} for entry in bindings for binding in entry or ())  # noqa: S104


def _root_without_need(container: Container) -> bool:
    user = container.config.user.partition(":")[0]
    return user in {"", "0", "root"} and not container.host_config.cap_add and not container.host_config.privileged


def _unpinned(image: str) -> bool:
    if "@" in image or image.startswith("sha256:"):
        return False
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return not colon or tag == "latest"


async def _engine_concerns(engine: Provider, *, local: bool) -> list[Issue]:
    concerns: list[Issue] = []
    try:
        dangling = await engine_of(engine).volumes.list(filters={"dangling": ["true"]})
        info = await engine.system.info()
    except PydError:
        return concerns
    if dangling:
        concerns.append(
            Issue(
                level="advice",
                kind="dangling-volumes",
                subjects=tuple(volume.name for volume in dangling),
                text="are used by no container",
                advice=("pyd volume ls -f dangling=true", "pyd volume prune"),
            )
        )
    if local and (system := _data(info)) is not None and (concern := _disk(system)) is not None:
        concerns.append(concern)
    return concerns


def _data(info: Info) -> FileSystem | None:
    return file_system("the engine's data", info.docker_root_dir) if info.docker_root_dir else None


def _disk(system: FileSystem) -> Issue | None:
    if system.out_of_inodes:
        level: Level = "broken"
        kind, text = "inode-exhausted", "has no inodes left"
    elif system.full:
        level, kind, text = "broken", "no-space", f"is full: {size(system.free)} free"
    elif system.free < system.size * FILLING:
        level, kind, text = "soon", "disk-filling", f"is filling: {size(system.free)} of {size(system.size)} free"
    else:
        return None
    advice = ("pyd system df", "pyd system prune")
    return Issue(level=level, kind=kind, subjects=(system.path,), text=text, advice=advice)
