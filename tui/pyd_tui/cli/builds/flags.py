"""Values of the options of `pyd build`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from pyd_core.cliparse.fields import parse_pairs, split_fields
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.buildkit.client.definition import BuildDefinition
    from pyd_core.client.options import BuildOptions

CLASSIC_ONLY = {
    "squash": "--squash",
    "security": "--security-opt",
    "memory": "--memory",
    "memory_swap": "--memory-swap",
    "cpu_shares": "--cpu-shares",
    "cpu_period": "--cpu-period",
    "cpu_quota": "--cpu-quota",
    "cpuset_cpus": "--cpuset-cpus",
    "cpuset_mems": "--cpuset-mems",
}
"""Options that only the classic builder has, by field."""

BUILDKIT_ONLY = {
    "allow": "--allow",
    "annotations": "--annotation",
    "attest": "--attest",
    "build_context": "--build-context",
    "cache_to": "--cache-to",
    "no_cache_filter": "--no-cache-filter",
    "outputs": "--output",
    "provenance": "--provenance",
    "push": "--push",
    "sbom": "--sbom",
    "secrets": "--secret",
    "ssh": "--ssh",
}
"""Options that only BuildKit has, by field."""


class BuildFlags(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `build` that describe the build itself."""

    tags: tuple[str, ...] = ()
    file: str = ""
    arguments: tuple[str, ...] = ()
    build_context: tuple[str, ...] = ()
    target: str = ""
    outputs: tuple[str, ...] = ()
    push: bool = False
    load: bool = False
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    pull: bool = False
    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    attest: tuple[str, ...] = ()
    provenance: str = ""
    sbom: str = ""
    network: str = ""
    allow: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    add_host: tuple[str, ...] = ()
    shm_size: str = ""
    cgroup_parent: str = ""
    ulimits: tuple[str, ...] = ()
    remove: bool = True
    force_remove: bool = False
    squash: bool = False
    security: tuple[str, ...] = ()
    memory: str = ""
    memory_swap: str = ""
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""

    def needs_classic(self) -> bool:
        """Return whether an option is given that only the classic builder has."""
        return any(getattr(self, name) for name in CLASSIC_ONLY)

    def definition(self, source: str) -> BuildDefinition:
        """Return the build for BuildKit.

        Args:
            source: The context.
        """
        from pyd_core.buildkit.client.definition import BuildDefinition

        return BuildDefinition(
            context=source,
            dockerfile=self.file,
            tags=self.tags,
            arguments=self._known_arguments(),
            labels=parse_pairs(self.labels),
            annotations=self.annotations,
            target=self.target,
            platforms=tuple(part for text in self.platforms for part in text.split(",") if part),
            no_cache=self.no_cache,
            no_cache_filter=tuple(part for text in self.no_cache_filter for part in text.split(",") if part),
            pull=self.pull,
            network=self.network,
            extra_hosts=self.add_host,
            shm_size=_size(self.shm_size),
            ulimits=self.ulimits,
            cgroup_parent=self.cgroup_parent,
            contexts=self._contexts(),
            cache_from=self.cache_from,
            cache_to=self.cache_to,
            secrets=self.secrets,
            ssh=self.ssh,
            outputs=self.outputs,
            attestations=self._attestations(),
            allow=self.allow,
            push=self.push,
            load=self.load,
        )

    def _contexts(self) -> dict[str, str]:
        for text in self.build_context:
            if "=" not in text:
                raise InvalidInput(f"--build-context {safe(text)} can't be read", hint="write NAME=PATH")
        return parse_pairs(self.build_context)

    def _attestations(self) -> dict[str, str]:
        attestations: dict[str, str] = {}
        for text in self.attest:
            fields = parse_pairs(split_fields(text))
            kind = fields.pop("type", "")
            if not kind:
                raise InvalidInput(f"--attest {safe(text)} has no type", hint="write type=provenance or type=sbom")
            if fields.pop("disabled", "false") != "true":
                attestations[kind] = ",".join(f"{name}={value}" for name, value in fields.items())
        for kind, text in (("provenance", self.provenance), ("sbom", self.sbom)):
            if text.lower() in {"true", "1"}:
                attestations[kind] = ""
            elif text.lower() in {"false", "0"}:
                attestations.pop(kind, None)
            elif text:
                attestations[kind] = text
        return attestations

    def classic_options(self, *, quiet: bool, remote: str) -> BuildOptions:
        """Return the build for the classic builder.

        Args:
            quiet: Print nothing but the id.
            remote: The context's URL, if the engine fetches it.
        """
        from pyd_core.client.options import BuildOptions
        from pyd_core.cliparse.limits import parse_ulimits
        from pyd_core.model.base import encode

        ulimits = parse_ulimits(self.ulimits)
        return BuildOptions(
            tags=self.tags,
            dockerfile=self.file if remote and self.file else "Dockerfile",
            remote=remote,
            arguments=self._arguments(),
            labels=parse_pairs(self.labels),
            target=self.target,
            no_cache=self.no_cache,
            cache_from=self.cache_from,
            pull=self.pull,
            network=self.network,
            platform=",".join(self.platforms),
            quiet=quiet,
            remove=self.remove,
            force_remove=self.force_remove,
            squash=self.squash,
            extra_hosts=self.add_host,
            security_options=self.security,
            memory=_size(self.memory),
            memory_swap=_size(self.memory_swap, unlimited=True),
            shm_size=_size(self.shm_size),
            cpu_shares=self.cpu_shares,
            cpu_period=self.cpu_period,
            cpu_quota=self.cpu_quota,
            cpuset_cpus=self.cpuset_cpus,
            cpuset_mems=self.cpuset_mems,
            cgroup_parent=self.cgroup_parent,
            ulimits=encode(ulimits).decode() if ulimits else "",
        )

    def _arguments(self) -> dict[str, str | None]:
        arguments: dict[str, str | None] = {}
        for text in self.arguments:
            name, equals, value = text.partition("=")
            arguments[name] = value if equals else os.environ.get(name)
        return arguments

    def _known_arguments(self) -> dict[str, str]:
        return {name: value for name, value in self._arguments().items() if value is not None}


def buildkit_only_options(flags: BuildFlags) -> list[str]:
    """Return the given options that only BuildKit has."""
    return [option for name, option in BUILDKIT_ONLY.items() if getattr(flags, name)]


def _size(text: str, *, unlimited: bool = False) -> int:
    return parse_size(text, unlimited=unlimited) if text else 0
