"""Page of staged causes and their engines: `PYTHONPATH=tests python -m support.coverage_page`."""

from __future__ import annotations

import sys
from pathlib import Path

from pyd_core.triage.causes import CAUSES
from support.pod_stages import STAGES as POD_STAGES
from support.pod_stages import WELL
from support.stages import NOT_ON_PODMAN, STAGES
from support.staging import Stage

PAGE = Path(__file__).resolve().parents[2] / "docs/development/triage-coverage.md"
SUITE = Path(__file__).resolve().parents[1] / "privileged/triage"

ALONE: dict[str, tuple[str, ...]] = {
    "engine-restart": (
        "test_engine_restart.py",
        "test_what_ended_with_the_engine_is_told_from_what_was_stopped_before",
    ),
    "seccomp-kill": ("test_staged_alone.py", "test_a_filter_that_kills"),
    "shared-library-missing": ("test_staged_alone.py", "test_a_library_that_is_not_there"),
    "bad-workdir": ("test_staged_alone.py", "test_a_working_directory_that_cannot_be_made"),
    "port-conflict": ("test_staged_alone.py", "test_a_port_held_by_a_program_of_the_host"),
    "mount-source-missing": ("test_staged_alone.py", "test_a_mount_whose_source_went_away"),
    "network-missing": ("test_staged_alone.py", "test_a_network_that_went_away"),
    "never-started": ("test_staged_alone.py", "test_one_that_was_never_started"),
    "volume-permission": ("test_staged_alone.py", "test_a_volume_of_somebody_else"),
    "not-same-network": ("test_staged_alone.py", "test_a_name_on_another_network"),
    "inode-exhausted": ("test_staged_alone.py", "test_room_without_inodes_is_told_from_a_full_disk"),
    "oom-host": ("test_whole_machine.py", "test_a_machine_without_memory"),
    "unknown": ("test_blind.py", "test_what_nothing_explains_is_not_guessed_at"),
    "engine-permission": ("test_real_messages.py", "test_the_engines_socket"),
    "engine-unreachable": ("test_real_messages.py", "test_the_engines_socket"),
    "image-not-found": ("test_real_messages.py", "test_a_registry_that_refuses"),
    "pull-rate-limited": ("test_real_messages.py", "test_a_registry_that_refuses"),
    "pull-auth": ("test_real_messages.py", "test_a_registry_that_refuses"),
    "registry-unreachable": ("test_real_messages.py", "test_a_registry_that_does_not_answer"),
    "name-conflict": ("test_real_messages.py", "test_a_name_that_is_taken"),
    "pool-overlap": ("test_real_messages.py", "test_a_subnet_that_is_taken"),
    "no-free-pool": ("test_real_messages.py", "test_an_engine_without_addresses_and_without_its_chains"),
    "firewall-chain-missing": ("test_real_messages.py", "test_an_engine_without_addresses_and_without_its_chains"),
    "network-in-use": ("test_real_messages.py", "test_what_is_in_use"),
    "volume-in-use": ("test_real_messages.py", "test_what_is_in_use"),
    "image-in-use": ("test_real_messages.py", "test_what_is_in_use"),
    "no-swarm-manager": ("test_real_messages.py", "test_a_client_that_is_too_old_and_an_engine_without_a_swarm"),
    "api-version": ("test_real_messages.py", "test_a_client_that_is_too_old_and_an_engine_without_a_swarm"),
    "orphan-containers": ("test_real_messages.py", "test_what_compose_says"),
    "compose-file": ("test_real_messages.py", "test_what_compose_says"),
    "build-context": ("test_real_messages.py", "test_a_build_that_misses_a_file"),
}
"""Causes with a test of their own, because the stage is more than a command line: its file and its name."""

_HEAD = """# Triage: what is staged

Each cause of [triage.md](../reference/triage.md) is staged on real engines in `tests/privileged/triage`: containers
that die, fail or ail in a known way, or messages that a real engine prints. Most stand in one table
(`tests/support/stages.py`), where the right cause has to be named on every one, and so no other's. The same suite
runs on cgroup v2 alone in an emulated machine: `nox -s vm`, which is also the only place for a machine without
memory. This page is generated (`PYTHONPATH=tests python -m support.coverage_page >
docs/development/triage-coverage.md`), and a test holds it to the tests.

| cause | Docker Engine, embedded engine | Podman | on its own |
|---|---|---|---|
"""

_PODS_HEAD = """
## Pods

No engine has these causes. `tests/support/pod_stages.py` serves pods that a real cluster recorded, or changes of them,
from a scripted API server, and on each exactly the right cause has to be named. Pods that are well must be called so.

| cause | staged pods | in a scan |
|---|---|---|
"""

SWEPT_BY: dict[str, str] = {
    "rollout-stuck": "test_a_recorded_rollout_is_stuck",
    "job-failed": "test_a_recorded_job_has_failed",
    **dict.fromkeys(
        ("quota-exceeded", "service-account-missing", "pod-security-refused", "pods-refused"),
        "test_the_answer_to_the_controller_names_the_cause",
    ),
    "service-without-endpoints": "test_a_service_without_endpoints_says_why",
}
"""Causes of workloads and services, with their tests in `tests/core/triage/pods`."""


def render() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for cause in (identity for identity, about in CAUSES.items() if about.family != "pods"):
        mine = [this for this in STAGES if this.cause == cause or cause in this.also]
        own = ALONE.get(cause)
        alone = f"`{own[1]}`" if own else ""
        podman = [this for this in mine if on_podman(this)]
        parts.append(f"| `{cause}` | {_names(mine)} | {_names(podman)} | {alone} |\n")
    count = sum(on_podman(this) for this in STAGES)
    parts.append(f"\nStages in the table: {len(STAGES)} on Docker Engine and the embedded engine, {count} on Podman. ")
    parts.append("Those on their own run on all three where they can be set. Not on Podman:\n\n")
    parts += [f"* `{short}`: {why}\n" for short, why in NOT_ON_PODMAN.items()]
    parts.append(_PODS_HEAD)
    for cause in (identity for identity, about in CAUSES.items() if about.family == "pods"):
        pods = [stage.short for stage in POD_STAGES if cause in {stage.cause, *stage.also}]
        scanned = f"`{SWEPT_BY[cause]}`" if cause in SWEPT_BY else ""
        parts.append(f"| `{cause}` | {', '.join(pods)} | {scanned} |\n")
    parts.append(f"\nStaged pods: {len(POD_STAGES)}; recorded pods that are well: {len(WELL)}.\n")
    return "".join(parts)


def on_podman(this: Stage) -> bool:
    """Return whether a stage can be set on Podman."""
    return this.short not in NOT_ON_PODMAN


def _names(stages: list[Stage]) -> str:
    return ", ".join(this.short for this in stages)


if __name__ == "__main__":
    sys.stdout.write(render())
