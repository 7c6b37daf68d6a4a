"""Check of the space on a full disk."""

from __future__ import annotations

from pyd_core.client.provider import Provider, engine_of
from pyd_core.errors import PydError
from pyd_core.humanize import size
from pyd_core.triage.checks.findings import CheckFindings
from pyd_core.triage.collect.host import file_system
from pyd_core.triage.evidence import UnavailableSource


async def check_space(engine: Provider | None, findings: CheckFindings) -> None:
    """Report the engine's disk usage and what a prune would free."""
    root = "/var/lib/docker"
    if engine is not None:
        try:
            root = (await engine.system.info()).docker_root_dir or root
            used = await engine_of(engine).system.disk_usage()
        except PydError as error:
            findings.unread.append(
                UnavailableSource(source="engine", reason=error.message, would_tell="what uses the space")
            )
        else:
            unused = [image for image in used.images if image.containers == 0]
            stopped = [container for container in used.containers if container.state != "running"]
            volumes = [volume for volume in used.volumes if volume.usage_data and volume.usage_data.ref_count == 0]
            cache = sum(entry.size for entry in used.build_cache if not entry.in_use)
            findings.add("engine", f"images take {size(used.layers_size)}; {len(unused)} are used by no container")
            findings.add(
                "engine", f"{len(stopped)} stopped containers hold {size(sum(c.size_rw or 0 for c in stopped))}"
            )
            held = sum(max(0, volume.usage_data.size) for volume in volumes if volume.usage_data)
            findings.add("engine", f"{len(volumes)} volumes used by no container hold {size(held)}")
            findings.add("engine", f"a prune of the build cache would free {size(cache)}")
    system = file_system("the engine's data", root)
    if system is not None:
        findings.add(
            "host", f"{root}: {size(system.free)} of {size(system.size)} free, {system.inodes_free} inodes free"
        )
    findings.advice += ["pyd system df", "pyd system prune # stopped containers, unused networks, dangling images"]
