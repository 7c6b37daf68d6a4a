"""`pyd build`: an image from a Dockerfile."""

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
from pyd_core.cliparse.sizes import parse_size
from pyd_core.errors import InvalidInput
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
        ("pyd build -t app .", "from the Dockerfile here"),
        ("pyd build -t app:dev -f docker/Dev.dockerfile --build-arg VERSION=2 .", "another file, with an argument"),
        ("pyd build -t small - < Dockerfile", "from a Dockerfile alone"),
        ("pyd build --target test https://git.example/app.git#main", "from a repository that the engine fetches"),
    ),
)
@click.argument("source", metavar="DIRECTORY|URL|-")
@click.option("-t", "--tag", "tags", multiple=True, metavar="NAME[:TAG]", help="A name for it.")
@click.option("-f", "--file", metavar="FILE", help="The Dockerfile; - reads it from standard input.")
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME[=VALUE]", help="The value of an ARG.")
@click.option("--target", default="", metavar="STAGE", help="Stop at this stage.")
@click.option("--no-cache", is_flag=True, help="Make every step anew.")
@click.option("--cache-from", multiple=True, metavar="IMAGE", help="Steps of this image may be taken.")
@click.option("--pull", is_flag=True, help="Ask for newer base images.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Set a label.")
@click.option("--network", default="", metavar="MODE", help="The network of RUN steps.")
@click.option("--platform", default="", metavar="OS/ARCHITECTURE", help="What it is for.")
@click.option("--add-host", multiple=True, metavar="HOST:ADDRESS", help="A line of /etc/hosts in RUN steps.")
@click.option("--rm/--no-rm", "remove", default=True, help="Remove the containers of steps that succeeded.")
@click.option("--force-rm", "force_remove", is_flag=True, help="Also of those that failed.")
@click.option("--squash", is_flag=True, help="One layer of all steps.")
@click.option("--security-opt", "security", multiple=True, metavar="NAME[=VALUE]", help="A security option.")
@click.option("-m", "--memory", default="", metavar="BYTES", help="Most memory of a step.")
@click.option("--memory-swap", default="", metavar="BYTES", help="Most memory and swap; -1 is no limit.")
@click.option("--shm-size", default="", metavar="BYTES", help="Size of /dev/shm.")
@click.option("-c", "--cpu-shares", type=int, default=0, metavar="N", help="Its share of the processors.")
@click.option("--cpu-period", type=int, default=0, metavar="N", help="The scheduler's period, microseconds.")
@click.option("--cpu-quota", type=int, default=0, metavar="N", help="Its time in a period, microseconds.")
@click.option("--cpuset-cpus", default="", metavar="LIST", help="Which processors.")
@click.option("--cpuset-mems", default="", metavar="LIST", help="Which memory nodes.")
@click.option("--cgroup-parent", default="", metavar="PATH", help="The cgroup above.")
@click.option("--ulimit", "ulimits", multiple=True, metavar="NAME=SOFT[:HARD]", help="A limit of its processes.")
@click.option("-q", "--quiet", is_flag=True, help="Only the id.")
@click.option("--iidfile", metavar="FILE", help="Write the id there.")
@click.option(
    "--progress", type=click.Choice(("auto", "plain", "tty", "quiet")), default="auto", help="How to show progress."
)
@click.option("--compress", is_flag=True, hidden=True, expose_value=False, help="The way is short.")
@click.option("--load", is_flag=True, hidden=True, expose_value=False, help="It is there anyhow.")
@pass_state
def command(
    state: State, /, *, source: str, file: str | None, quiet: bool, iidfile: str | None, progress: str, **values: Any
) -> None:
    """Build an image by the engine's classic builder, which runs step after step."""
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
