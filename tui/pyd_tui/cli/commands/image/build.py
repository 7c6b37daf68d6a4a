"""`pyd build`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from pyd_core.client.options import BuildOptions
from pyd_core.cliparse.fields import parse_pairs
from pyd_core.cliparse.limits import parse_ulimits
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.model.base import encode
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

REMOTE_PREFIXES = ("http://", "https://", "git://", "git@", "github.com/", "ssh://")


@click.command(
    "build",
    cls=PydCommand,
    examples=(
        ("pyd build -t app .", "build from the Dockerfile in this directory"),
        (
            "pyd build -t app:dev -f docker/Dev.dockerfile --build-arg VERSION=2 .",
            "use another Dockerfile and a build argument",
        ),
        ("pyd build -t small - < Dockerfile", "build without a context"),
        ("pyd build --target test https://git.example/app.git#main", "build from a repository that the engine fetches"),
    ),
)
@click.argument("source", metavar="DIRECTORY|URL|-")
@click.option("-t", "--tag", "tags", multiple=True, metavar="NAME[:TAG]", help="Name of the image.")
@click.option("-f", "--file", metavar="FILE", help="Path of the Dockerfile; - reads it from standard input.")
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME[=VALUE]", help="Set a build argument.")
@click.option("--target", default="", metavar="STAGE", help="Build stage to stop at.")
@click.option("--no-cache", is_flag=True, help="Don't use the build cache.")
@click.option("--cache-from", multiple=True, metavar="IMAGE", help="Image to use as a cache source.")
@click.option("--pull", is_flag=True, help="Always try to pull newer base images.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Set a label.")
@click.option("--network", default="", metavar="MODE", help="Network of RUN steps.")
@click.option("--platform", default="", metavar="OS/ARCHITECTURE", help="Target platform.")
@click.option("--add-host", multiple=True, metavar="HOST:ADDRESS", help="Add an entry to /etc/hosts in RUN steps.")
@click.option("--rm/--no-rm", "remove", default=True, help="Remove intermediate containers after a successful build.")
@click.option("--force-rm", "force_remove", is_flag=True, help="Always remove intermediate containers.")
@click.option("--squash", is_flag=True, help="Squash all steps into one layer.")
@click.option("--security-opt", "security", multiple=True, metavar="NAME[=VALUE]", help="Security option of RUN steps.")
@click.option("-m", "--memory", default="", metavar="BYTES", help="Memory limit of a step.")
@click.option("--memory-swap", default="", metavar="BYTES", help="Limit of memory plus swap; -1 is unlimited.")
@click.option("--shm-size", default="", metavar="BYTES", help="Size of /dev/shm.")
@click.option("-c", "--cpu-shares", type=int, default=0, metavar="N", help="CPU shares (relative weight).")
@click.option("--cpu-period", type=int, default=0, metavar="N", help="CPU scheduler period, in microseconds.")
@click.option("--cpu-quota", type=int, default=0, metavar="N", help="CPU time per period, in microseconds.")
@click.option("--cpuset-cpus", default="", metavar="LIST", help="CPUs to run on.")
@click.option("--cpuset-mems", default="", metavar="LIST", help="Memory nodes to use.")
@click.option("--cgroup-parent", default="", metavar="PATH", help="Parent cgroup.")
@click.option("--ulimit", "ulimits", multiple=True, metavar="NAME=SOFT[:HARD]", help="Ulimit of its processes.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the image id.")
@click.option("--iidfile", metavar="FILE", help="Write the image id to a file.")
@click.option(
    "--progress", type=click.Choice(("auto", "plain", "tty", "quiet")), default="auto", help="Progress output."
)
@click.option("--compress", is_flag=True, hidden=True, expose_value=False, help="No effect.")
@click.option("--load", is_flag=True, hidden=True, expose_value=False, help="No effect: always on.")
@pass_state
def command(
    state: State, /, *, source: str, file: str | None, quiet: bool, iidfile: str | None, progress: str, **values: Any
) -> None:
    """Build an image from a Dockerfile with the engine's classic builder."""
    from pyd_tui.cli.images.build_output import build

    remote = source if source.startswith(REMOTE_PREFIXES) else ""
    options = _build_options(BuildFlags(**values), quiet=quiet, remote=remote, file=file or "")
    silent = quiet or state.json or progress == "quiet"
    image_id = state.run(lambda engine: build(engine, options, source=source, file=file, quiet=silent))
    if iidfile:
        try:
            Path(iidfile).write_text(image_id)
        except OSError as error:
            raise InvalidInput(f"can't write {safe(iidfile)}: {error.strerror}") from error
    if state.json:
        write_json({"Id": image_id, "Tags": list(options.tags)})
    elif silent:
        write(f"{safe(image_id)}\n")
    else:
        sys.stdout.flush()


class BuildFlags(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `build` that describe the build itself."""

    tags: tuple[str, ...]
    arguments: tuple[str, ...]
    target: str
    no_cache: bool
    cache_from: tuple[str, ...]
    pull: bool
    labels: tuple[str, ...]
    network: str
    platform: str
    add_host: tuple[str, ...]
    remove: bool
    force_remove: bool
    squash: bool
    security: tuple[str, ...]
    memory: str
    memory_swap: str
    shm_size: str
    cpu_shares: int
    cpu_period: int
    cpu_quota: int
    cpuset_cpus: str
    cpuset_mems: str
    cgroup_parent: str
    ulimits: tuple[str, ...]


def _build_options(flags: BuildFlags, *, quiet: bool, remote: str, file: str) -> BuildOptions:
    arguments: dict[str, str | None] = {}
    for text in flags.arguments:
        name, equals, value = text.partition("=")
        arguments[name] = value if equals else os.environ.get(name)
    ulimits = parse_ulimits(flags.ulimits)

    return BuildOptions(
        tags=flags.tags,
        dockerfile=file if remote and file else "Dockerfile",
        remote=remote,
        arguments=arguments,
        labels=parse_pairs(flags.labels),
        target=flags.target,
        no_cache=flags.no_cache,
        cache_from=flags.cache_from,
        pull=flags.pull,
        network=flags.network,
        platform=flags.platform,
        quiet=quiet,
        remove=flags.remove,
        force_remove=flags.force_remove,
        squash=flags.squash,
        extra_hosts=flags.add_host,
        security_options=flags.security,
        memory=_size(flags.memory),
        memory_swap=_size(flags.memory_swap, unlimited=True),
        shm_size=_size(flags.shm_size),
        cpu_shares=flags.cpu_shares,
        cpu_period=flags.cpu_period,
        cpu_quota=flags.cpu_quota,
        cpuset_cpus=flags.cpuset_cpus,
        cpuset_mems=flags.cpuset_mems,
        cgroup_parent=flags.cgroup_parent,
        ulimits=encode(ulimits).decode() if ulimits else "",
    )


def _size(text: str, *, unlimited: bool = False) -> int:
    return parse_size(text, unlimited=unlimited) if text else 0
