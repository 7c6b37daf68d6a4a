"""Instructions that change the configuration: ENV, LABEL, USER, CMD and so on."""

from __future__ import annotations

import posixpath
import signal
from collections.abc import Sequence
from functools import singledispatch

from pyd_core.buildkit.frontend.arguments import SCAN_ARGUMENTS
from pyd_core.buildkit.frontend.image import DEFAULT_SHELL
from pyd_core.buildkit.frontend.naming import expanded_name, step_name
from pyd_core.buildkit.frontend.scope import CompileScope
from pyd_core.buildkit.frontend.stage_node import StageNode, StageStep
from pyd_core.buildkit.llb.files import FileOpBuilder, owner_option
from pyd_core.buildkit.llb.vertex import describe
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.instructions import (
    ArgInstruction,
    CmdInstruction,
    CommandInstruction,
    EntrypointInstruction,
    EnvInstruction,
    ExposeInstruction,
    HealthcheckInstruction,
    LabelInstruction,
    MaintainerInstruction,
    OnbuildInstruction,
    Pair,
    ShellInstruction,
    StopSignalInstruction,
    TypedInstruction,
    UserInstruction,
    VolumeInstruction,
    WorkdirInstruction,
)
from pyd_core.dockerfile.ports import parse_ports
from pyd_core.errors import DockerfileError
from pyd_core.gosyntax.durations import format_duration
from pyd_core.gosyntax.quoting import quote, quote_character

MAX_PORTS = 70_000
"""Limit for an image's exposed ports: more than each port of one protocol."""
MAX_REAL_TIME_SIGNAL = 64


def with_shell(node: StageNode, instruction: CommandInstruction) -> list[str]:
    """Return a command; the shell form is an argument of the stage's shell."""
    if not instruction.uses_shell:
        return list(instruction.command)
    return [*(node.image.config.shell or DEFAULT_SHELL), " ".join(instruction.command)]


def apply_metadata(scope: CompileScope, node: StageNode, step: StageStep) -> None:
    """Apply an instruction to its stage.

    Raises:
        DockerfileError: A value is not allowed.
    """
    text = _apply(step.instruction, node, scope)
    if text:
        node.image.record(text, epoch_s=scope.options.epoch_s)


@singledispatch
def _apply(instruction: TypedInstruction, node: StageNode, scope: CompileScope) -> str:
    """Apply an instruction, and return the text for the history; empty means no entry."""
    raise TypeError(f"no such instruction: {type(instruction).__name__}")


def _expanded(pairs: Sequence[Pair], node: StageNode, scope: CompileScope) -> list[tuple[str, str]]:
    return [(node.expand(pair.name, scope.escape), node.expand(pair.value, scope.escape)) for pair in pairs]


@_apply.register
def _env(instruction: EnvInstruction, node: StageNode, scope: CompileScope) -> str:
    pairs = _expanded(instruction.pairs, node, scope)
    for name, value in pairs:
        node.set_variable(name, value)
        node.image.config.set_variable(name, value)
    return "ENV" + "".join(f" {name}={value}" for name, value in pairs)


@_apply.register
def _label(instruction: LabelInstruction, node: StageNode, scope: CompileScope) -> str:
    pairs = _expanded(instruction.pairs, node, scope)
    node.image.config.labels = {**node.image.config.labels, **dict(pairs)}
    return "LABEL" + "".join(f" {name}={value}" for name, value in pairs)


@_apply.register
def _arg(instruction: ArgInstruction, node: StageNode, scope: CompileScope) -> str:
    texts = []
    for declaration in instruction.declarations:
        name = declaration.name
        default = None if declaration.default is None else node.expand(declaration.default, scope.escape)
        value = scope.options.build_args.get(name, scope.arguments.get(name) if default is None else default)
        if value is not None and name not in SCAN_ARGUMENTS:
            node.set_variable(name, value)
        node.arguments.append((name, value))
        texts.append(name if default is None else f"{name}={default}")
    return f"ARG {' '.join(texts)}"


@_apply.register
def _user(instruction: UserInstruction, node: StageNode, scope: CompileScope) -> str:
    node.user = node.image.config.user = node.expand(instruction.user, scope.escape)
    return f"USER {node.user}"


@_apply.register
def _workdir(instruction: WorkdirInstruction, node: StageNode, scope: CompileScope) -> str:
    path = node.expand(instruction.path, scope.escape)
    set_directory(node, path)
    if node.directory == "/":
        return "WORKDIR /"
    files = FileOpBuilder(node.output)
    files.mkdir(
        ops_pb2.FileActionMkDir(
            path=node.directory, mode=0o755, makeParents=True, timestamp=scope.timestamp_ns,
            owner=owner_option(node.image.config.user, files.base_index),
        )
    )  # fmt: skip
    name = step_name(node, expanded_name(node, instruction.source, scope.escape), with_platform=scope.shows_platform)
    node.output = files.build(metadata=describe(name), lines=scope.lines(instruction)).output
    node.image.record(f"WORKDIR {node.directory}", epoch_s=scope.options.epoch_s, has_layer=True)
    return ""


def set_directory(node: StageNode, path: str) -> None:
    """Set the working directory of a stage; a relative path starts at the present one."""
    joined = posixpath.normpath(posixpath.join("/", node.image.config.working_dir or "/", path))
    node.directory = node.image.config.working_dir = "/" + joined.lstrip("/")


@_apply.register
def _cmd(instruction: CmdInstruction, node: StageNode, scope: CompileScope) -> str:
    node.image.config.cmd = with_shell(node, instruction)
    node.image.config.args_escaped = True
    node.has_command = True
    return f"CMD {_quoted(node.image.config.cmd)}"


@_apply.register
def _entrypoint(instruction: EntrypointInstruction, node: StageNode, scope: CompileScope) -> str:
    node.image.config.entrypoint = with_shell(node, instruction)
    if not node.has_command:
        node.image.config.cmd = None
    return f"ENTRYPOINT {_quoted(node.image.config.entrypoint)}"


@_apply.register
def _healthcheck(instruction: HealthcheckInstruction, node: StageNode, scope: CompileScope) -> str:
    health = node.image.config.healthcheck = instruction.health
    times = (health.interval, health.timeout, health.start_period, health.start_interval)
    shown = " ".join(f'"{format_duration(nanoseconds)}"' for nanoseconds in times)
    return f"HEALTHCHECK &{{{_quoted(health.test)} {shown} {quote_character(health.retries)}}}"


@_apply.register
def _expose(instruction: ExposeInstruction, node: StageNode, scope: CompileScope) -> str:
    ports: list[str] = []
    for word in (word for text in instruction.ports for word in node.expand_words(text, scope.escape)):
        ports += parse_ports(word)
        if len(ports) + len(node.image.config.exposed_ports) > MAX_PORTS:
            raise DockerfileError(f"an image can expose {MAX_PORTS:,} ports")
    node.image.config.exposed_ports = {**node.image.config.exposed_ports, **{port: {} for port in ports}}
    return f"EXPOSE map[{' '.join(f'{port}:{{}}' for port in sorted(set(ports)))}]"


@_apply.register
def _volume(instruction: VolumeInstruction, node: StageNode, scope: CompileScope) -> str:
    paths = [node.expand(path, scope.escape) for path in instruction.paths]
    if not all(paths):
        raise DockerfileError("VOLUME specified can not be an empty string")
    node.image.config.volumes = {**node.image.config.volumes, **{path: {} for path in paths}}
    return f"VOLUME [{' '.join(paths)}]"


@_apply.register
def _stop_signal(instruction: StopSignalInstruction, node: StageNode, scope: CompileScope) -> str:
    name = node.expand(instruction.signal, scope.escape)
    if not is_signal(name):
        raise DockerfileError(f"invalid signal: {name[:60]}", hint="STOPSIGNAL SIGTERM")
    node.image.config.stop_signal = name
    return f"STOPSIGNAL {name}"


def is_signal(text: str) -> bool:
    """Return whether a text is a signal's name or number."""
    if text.isascii() and text.isdecimal():
        return len(text) < 4 and int(text) > 0
    name = text.upper().removeprefix("SIG")
    if name in {known.name.removeprefix("SIG") for known in signal.Signals} | {"CLD", "POLL", "STKFLT", "IOT"}:
        return True
    for base in ("RTMIN+", "RTMAX-"):
        number = name.removeprefix(base)
        if name.startswith(base) and number.isascii() and number.isdecimal():
            return len(number) < 3 and int(number) < MAX_REAL_TIME_SIGNAL // 2
    return False


@_apply.register
def _shell(instruction: ShellInstruction, node: StageNode, scope: CompileScope) -> str:
    node.image.config.shell = list(instruction.shell)
    return f"SHELL [{' '.join(instruction.shell)}]"


@_apply.register
def _onbuild(instruction: OnbuildInstruction, node: StageNode, scope: CompileScope) -> str:
    node.image.config.on_build = [*node.image.config.on_build, instruction.expression]
    return ""


@_apply.register
def _maintainer(instruction: MaintainerInstruction, node: StageNode, scope: CompileScope) -> str:
    node.image.author = instruction.maintainer
    return f"MAINTAINER {instruction.maintainer}"


def _quoted(words: list[str]) -> str:
    return f"[{' '.join(quote(word) for word in words)}]"
