"""Parser of instructions: options and arguments of a node become a typed instruction."""

from __future__ import annotations

import re
from collections.abc import Callable

from pyd_core.dockerfile.flags import InstructionFlags
from pyd_core.dockerfile.healthchecks import parse_healthcheck
from pyd_core.dockerfile.heredocs import parse_start
from pyd_core.dockerfile.instructions import (
    AddInstruction,
    ArgDeclaration,
    ArgInstruction,
    CmdInstruction,
    CopyInstruction,
    EntrypointInstruction,
    EnvInstruction,
    ExposeInstruction,
    FromInstruction,
    HealthcheckInstruction,
    LabelInstruction,
    MaintainerInstruction,
    OnbuildInstruction,
    Pair,
    RunInstruction,
    ShellInstruction,
    StopSignalInstruction,
    TypedInstruction,
    UserInstruction,
    VolumeInstruction,
    WorkdirInstruction,
)
from pyd_core.dockerfile.mounts import split_mount
from pyd_core.dockerfile.suggestions import did_you_mean
from pyd_core.dockerfile.tree import Heredoc, InstructionNode
from pyd_core.errors import DockerfileError

MAX_SOURCES = 5000
"""Limit for an instruction."""
NETWORKS = ("default", "none", "host")
SECURITY = ("sandbox", "insecure")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
_ONBUILD = re.compile(r"\s*ONBUILD\s*", re.IGNORECASE)


def parse_typed(node: InstructionNode) -> TypedInstruction:
    """Return a node as a typed instruction.

    Raises:
        DockerfileError: An option is unknown, or the arguments don't fit the instruction.
    """
    try:
        return _PARSERS[node.word](node)
    except DockerfileError as error:
        if error.line or not node.span.start:
            raise
        raise DockerfileError(
            f"dockerfile parse error on line {node.span.start}: {error.message}",
            line=node.span.start, end_line=node.span.end, column=_column(node, error.message), hint=error.hint,
        ) from None  # fmt: skip


def _column(node: InstructionNode, message: str) -> int:
    """Return where the flag that an error names begins in the instruction's first line, from 1, or 0."""
    match = re.search(r"--[\w-]+", message)
    return node.original.find(match[0]) + 1 if match else 0


def _at_least_one(node: InstructionNode) -> None:
    if not node.arguments:
        raise DockerfileError(f"{node.word} requires at least one argument")


def _exactly_one(node: InstructionNode) -> str:
    InstructionFlags(node.flags)
    if len(node.arguments) != 1:
        raise DockerfileError(f"{node.word} requires exactly one argument")
    return node.arguments[0]


def _pairs(node: InstructionNode) -> tuple[Pair, ...]:
    InstructionFlags(node.flags)
    _at_least_one(node)
    names, values = node.arguments[::2], node.arguments[1::2]
    if not all(names):
        raise DockerfileError(f"{node.word} names can not be blank")
    return tuple(Pair(name, value) for name, value in zip(names, values, strict=True))


def _arg(node: InstructionNode) -> ArgInstruction:
    InstructionFlags(node.flags)
    _at_least_one(node)
    declarations = []
    for argument in node.arguments:
        name, equals, value = argument.partition("=")
        if not name:
            raise DockerfileError("ARG names can not be blank")
        declarations.append(ArgDeclaration(name, value if equals else None))
    return ArgInstruction(node=node, declarations=tuple(declarations))


def _transfer(node: InstructionNode) -> tuple[tuple[str, ...], tuple[Heredoc, ...], str]:
    """Return the sources, here-documents and destination of COPY or ADD."""
    if len(node.arguments) < 2:
        raise DockerfileError(
            f"{node.word} requires at least two arguments, but only {len(node.arguments)} were provided. "
            "Destination could not be determined"
        )
    *sources, destination = node.arguments
    if len(sources) > MAX_SOURCES:
        raise DockerfileError(f"{node.word} can have {MAX_SOURCES:,} sources", hint="copy their directory")
    if parse_start(destination) is not None:
        raise DockerfileError(f"{node.word} cannot accept a heredoc as a destination")
    by_name = {heredoc.name: heredoc for heredoc in node.heredocs}
    paths: list[str] = []
    documents: list[Heredoc] = []
    for source in sources:
        start = None if node.is_json else parse_start(source)
        if start is None:
            paths.append(source)
        elif start.name in by_name:
            documents.append(by_name[start.name])
    return tuple(paths), tuple(documents), destination


def _copy(node: InstructionNode) -> CopyInstruction:
    flags = InstructionFlags(
        node.flags, texts=("from", "chown", "chmod"), booleans=("link", "parents"), lists=("exclude",)
    )
    sources, documents, destination = _transfer(node)
    return CopyInstruction(
        node=node, sources=sources, documents=documents, destination=destination, stage=flags.text("from"),
        chown=flags.text("chown"), chmod=flags.text("chmod"), link=flags.boolean("link"),
        parents=flags.boolean("parents"), excludes=flags.list("exclude"),
    )  # fmt: skip


def _add(node: InstructionNode) -> AddInstruction:
    flags = InstructionFlags(
        node.flags,
        texts=("chown", "chmod", "checksum"),
        booleans=("link", "keep-git-dir", "unpack"),
        lists=("exclude",),
    )
    sources, documents, destination = _transfer(node)
    return AddInstruction(
        node=node, sources=sources, documents=documents, destination=destination, chown=flags.text("chown"),
        chmod=flags.text("chmod"), link=flags.boolean("link"), excludes=flags.list("exclude"),
        checksum=flags.text("checksum"), keep_git_dir=flags.optional_boolean("keep-git-dir"),
        unpack=flags.optional_boolean("unpack"),
    )  # fmt: skip


def _from(node: InstructionNode) -> FromInstruction:
    flags = InstructionFlags(node.flags, texts=("platform",))
    arguments: tuple[str, ...] = node.arguments
    name = ""
    if len(arguments) == 3 and arguments[1].lower() == "as":
        name = arguments[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise DockerfileError(
                f'invalid name for build stage: "{arguments[2][:80]}"',
                hint="a name begins with a letter and has letters, digits, -, _ and .",
            )
    elif len(arguments) != 1:
        raise DockerfileError("FROM requires either one or three arguments", hint="FROM IMAGE AS NAME")
    return FromInstruction(
        node=node, base=arguments[0], name=name, written_name=arguments[-1] if name else "",
        platform=flags.text("platform"),
    )  # fmt: skip


def _onbuild(node: InstructionNode) -> OnbuildInstruction:
    InstructionFlags(node.flags)
    _at_least_one(node)
    trigger = node.arguments[0]
    if trigger == "ONBUILD":
        raise DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in {"MAINTAINER", "FROM"}:
        raise DockerfileError(f"{trigger} isn't allowed as an ONBUILD trigger")
    if node.trigger is not None:
        parse_typed(node.trigger)
    text = _ONBUILD.sub("", node.original, count=1)
    return OnbuildInstruction(
        node=node, expression=text + "".join(f"\n{document.content}{document.name}" for document in node.heredocs)
    )


def _run(node: InstructionNode) -> RunInstruction:
    flags = InstructionFlags(node.flags, texts=("network", "security"), lists=("mount", "device"))
    network, security = flags.text("network"), flags.text("security")
    for name, value, allowed in (("network", network, NETWORKS), ("security", security, SECURITY)):
        if value and value not in allowed:
            raise DockerfileError(
                f"{name} {value[:60]!r} is not valid{did_you_mean(value, allowed)}", hint=", ".join(allowed)
            )
    return RunInstruction(
        node=node, command=node.arguments, uses_shell=not node.is_json, network=network, security=security,
        mounts=tuple(split_mount(text) for text in flags.list("mount")), devices=flags.list("device"),
        heredocs=node.heredocs,
    )  # fmt: skip


def _cmd(node: InstructionNode) -> CmdInstruction:
    InstructionFlags(node.flags)
    return CmdInstruction(node=node, command=node.arguments, uses_shell=not node.is_json)


def _entrypoint(node: InstructionNode) -> EntrypointInstruction:
    InstructionFlags(node.flags)
    return EntrypointInstruction(node=node, command=node.arguments, uses_shell=not node.is_json)


def _healthcheck(node: InstructionNode) -> HealthcheckInstruction:
    return HealthcheckInstruction(node=node, health=parse_healthcheck(node))


def _expose(node: InstructionNode) -> ExposeInstruction:
    InstructionFlags(node.flags)
    _at_least_one(node)
    return ExposeInstruction(node=node, ports=tuple(sorted(node.arguments)))


def _volume(node: InstructionNode) -> VolumeInstruction:
    InstructionFlags(node.flags)
    _at_least_one(node)
    if not all(path.strip() for path in node.arguments):
        raise DockerfileError("VOLUME specified can not be an empty string")
    return VolumeInstruction(node=node, paths=tuple(path.strip() for path in node.arguments))


def _shell(node: InstructionNode) -> ShellInstruction:
    InstructionFlags(node.flags)
    _at_least_one(node)
    if not node.is_json:
        raise DockerfileError("SHELL requires the arguments to be in JSON form", hint='SHELL ["/bin/bash", "-c"]')
    return ShellInstruction(node=node, shell=node.arguments)


_PARSERS: dict[str, Callable[[InstructionNode], TypedInstruction]] = {
    "ADD": _add,
    "ARG": _arg,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": lambda node: EnvInstruction(node=node, pairs=_pairs(node)),
    "EXPOSE": _expose,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": lambda node: LabelInstruction(node=node, pairs=_pairs(node)),
    "MAINTAINER": lambda node: MaintainerInstruction(node=node, maintainer=_exactly_one(node)),
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": lambda node: StopSignalInstruction(node=node, signal=_exactly_one(node)),
    "USER": lambda node: UserInstruction(node=node, user=_exactly_one(node)),
    "VOLUME": _volume,
    "WORKDIR": lambda node: WorkdirInstruction(node=node, path=_exactly_one(node)),
}
