"""Options of `pyd build`, for its command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option("-t", "--tag", "tags", multiple=True, metavar="NAME[:TAG]", help="Name of the image."),
    click.option(
        "-f", "--file", default="", metavar="FILE", help="Path of the Dockerfile; - reads it from standard input."
    ),
    click.option("--build-arg", "arguments", multiple=True, metavar="NAME[=VALUE]", help="Set a build argument."),
    click.option(
        "--build-context", multiple=True, metavar="NAME=PATH|URL", help="Additional context for COPY --from and FROM."
    ),
    click.option("--target", default="", metavar="STAGE", help="Build stage to stop at."),
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="DEST|type=…",
        help="Write the result to a directory, or by type: local, tar, docker, oci, image.",
    ),
    click.option("--push", is_flag=True, help="Push the image to its registry."),
    click.option("--load", is_flag=True, help="Keep the image in the engine, in addition to other outputs."),
    click.option(
        "--secret",
        "secrets",
        multiple=True,
        metavar="id=NAME,src=FILE",
        help="Secret for RUN --mount=type=secret; env=VARIABLE reads a variable.",
    ),
    click.option("--ssh", multiple=True, metavar="default|ID=SOCKET", help="ssh agent for RUN --mount=type=ssh."),
    click.option("--no-cache", is_flag=True, help="Don't use the build cache."),
    click.option("--no-cache-filter", multiple=True, metavar="STAGE", help="Don't use the build cache for a stage."),
    click.option("--cache-from", multiple=True, metavar="IMAGE|type=…", help="Cache to import."),
    click.option("--cache-to", multiple=True, metavar="type=…", help="Cache to export."),
    click.option("--pull", is_flag=True, help="Always try to pull newer base images."),
    click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Set a label."),
    click.option(
        "--annotation",
        "annotations",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set an annotation of the image's manifest.",
    ),
    click.option("--attest", multiple=True, metavar="type=…", help="Attestation to add."),
    click.option("--provenance", default="", metavar="true|false|mode=…", help="Add a provenance attestation."),
    click.option("--sbom", default="", metavar="true|false|generator=…", help="Add a bill of materials."),
    click.option("--network", default="", metavar="MODE", help="Network of RUN steps: default, none or host."),
    click.option(
        "--allow",
        multiple=True,
        metavar="PRIVILEGE",
        help="Privilege that steps may use: network.host, security.insecure.",
    ),
    click.option("--platform", "platforms", multiple=True, metavar="OS/ARCHITECTURE", help="Target platform."),
    click.option("--add-host", multiple=True, metavar="HOST:ADDRESS", help="Add an entry to /etc/hosts in RUN steps."),
    click.option("--shm-size", default="", metavar="BYTES", help="Size of /dev/shm."),
    click.option("--cgroup-parent", default="", metavar="PATH", help="Parent cgroup of RUN steps."),
    click.option("--ulimit", "ulimits", multiple=True, metavar="NAME=SOFT[:HARD]", help="Ulimit of RUN steps."),
    click.option(
        "--rm/--no-rm",
        "remove",
        default=True,
        help="Classic builder: remove intermediate containers after a successful build.",
    ),
    click.option(
        "--force-rm", "force_remove", is_flag=True, help="Classic builder: always remove intermediate containers."
    ),
    click.option("--squash", is_flag=True, help="Classic builder: squash all steps into one layer."),
    click.option(
        "--security-opt",
        "security",
        multiple=True,
        metavar="NAME[=VALUE]",
        help="Classic builder: security option of RUN steps.",
    ),
    click.option("-m", "--memory", default="", metavar="BYTES", help="Classic builder: memory limit of a step."),
    click.option(
        "--memory-swap",
        default="",
        metavar="BYTES",
        help="Classic builder: limit of memory plus swap; -1 is unlimited.",
    ),
    click.option(
        "-c", "--cpu-shares", type=int, default=0, metavar="N", help="Classic builder: CPU shares (relative weight)."
    ),
    click.option(
        "--cpu-period", type=int, default=0, metavar="N", help="Classic builder: CPU scheduler period, in microseconds."
    ),
    click.option(
        "--cpu-quota", type=int, default=0, metavar="N", help="Classic builder: CPU time per period, in microseconds."
    ),
    click.option("--cpuset-cpus", default="", metavar="LIST", help="Classic builder: CPUs to run on."),
    click.option("--cpuset-mems", default="", metavar="LIST", help="Classic builder: memory nodes to use."),
    click.option("--compress", is_flag=True, hidden=True, expose_value=False, help="No effect."),
)


def build_options(command: F) -> F:
    """Add the options that describe a build."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
