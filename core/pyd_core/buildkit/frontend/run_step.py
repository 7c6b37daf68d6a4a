"""RUN: the command with its here-documents, mounts, network and limits."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from pyd_core.buildkit.frontend.arguments import proxy_values
from pyd_core.buildkit.frontend.metadata_steps import with_shell
from pyd_core.buildkit.frontend.naming import expanded_name, step_name
from pyd_core.buildkit.frontend.scope import CompileScope
from pyd_core.buildkit.frontend.stage_node import StageNode, StageStep
from pyd_core.buildkit.llb.execution import ExecOpBuilder
from pyd_core.buildkit.llb.files import NO_TIME, FileOpBuilder, owner_option
from pyd_core.buildkit.llb.vertex import NO_OUTPUT, VertexOutput, describe, platform_message
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.heredocs import parse_start
from pyd_core.dockerfile.instructions import RunInstruction
from pyd_core.dockerfile.mounts import MountOptions, parse_mount
from pyd_core.errors import DockerfileError

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a path in the container
PIPES = "/dev/pipes"
"""Directory with the script of a here-document that names its interpreter."""
_SHARING = {
    "": ops_pb2.CacheSharingOpt.SHARED, "shared": ops_pb2.CacheSharingOpt.SHARED,
    "private": ops_pb2.CacheSharingOpt.PRIVATE, "locked": ops_pb2.CacheSharingOpt.LOCKED,
}  # fmt: skip
_NETWORKS = {"none": ops_pb2.NONE, "host": ops_pb2.HOST, "default": ops_pb2.UNSET}


def apply_run(scope: CompileScope, node: StageNode, step: StageStep) -> None:
    """Compile a RUN instruction.

    Raises:
        DockerfileError: A mount is malformed.
    """
    instruction = step.instruction
    if not isinstance(instruction, RunInstruction):
        raise TypeError(type(instruction).__name__)
    if not instruction.command:
        raise DockerfileError("RUN requires a command")
    node.paths.add("/")
    mounts = [parse_mount(mount, lambda text: node.expand(text, scope.escape)) for mount in instruction.mounts]
    command, script, summary = _command(node, instruction)
    builder = ExecOpBuilder(node.output, _meta(scope, node, command))
    if script is not None:
        builder.mount(ops_pb2.Mount(dest=PIPES, readonly=True), script)
    if scope.is_classic:
        _add_volumes(node, builder)
    for mount, source in zip(mounts, step.sources, strict=True):
        _add_mount(scope, node, builder, mount, source)
    builder.network = _NETWORKS[instruction.network] if instruction.network else scope.options.network
    if instruction.security == "insecure":
        builder.security = ops_pb2.INSECURE
    builder.devices += [_device(text) for text in instruction.devices]
    if scope.options.shm_bytes:
        builder.mount(
            ops_pb2.Mount(
                dest=SHARED_MEMORY, mountType=ops_pb2.TMPFS, TmpfsOpt=ops_pb2.TmpfsOpt(size=scope.options.shm_bytes)
            )
        )
    masked = {mount.env: "****" for mount in mounts if mount.env}
    name = expanded_name(node, instruction.source + summary, scope.escape, masked=masked)
    metadata = describe(
        step_name(node, name, with_platform=scope.shows_platform, is_trigger=step.is_trigger),
        command=instruction.source, ignore_cache=node.ignores_cache,
    )  # fmt: skip
    node.output = builder.build(
        platform=platform_message(node.platform or scope.target_platform), metadata=metadata,
        lines=scope.lines(instruction),
    )  # fmt: skip
    node.image.record(f"RUN {_history(node, command)} # buildkit", epoch_s=scope.options.epoch_s, has_layer=True)


def _command(node: StageNode, instruction: RunInstruction) -> tuple[list[str], VertexOutput | None, str]:
    """Return the command, the file system with its script if there is one, and an addition to the step's name."""
    documents = instruction.heredocs
    if not documents or not instruction.uses_shell:
        return with_shell(node, instruction), None, ""
    shell = with_shell(node, instruction)[:-1]
    line = instruction.command[0]
    if parse_start(line) is None:
        bodies = "".join(f"\n{document.content}{document.name}" for document in documents)
        return [*shell, line + bodies], None, ""
    document = documents[0]
    summary = f" ({_summary(document.content)})"
    if not document.data.startswith("#!"):
        return [*shell, document.data], None, summary
    files = FileOpBuilder(None)
    files.mkfile(
        ops_pb2.FileActionMkFile(
            path=f"/{document.name.replace('/', '_')}", mode=0o755, data=document.data.encode(), timestamp=NO_TIME
        )
    )
    script = files.build(metadata=describe("[internal] preparing inline document")).output
    return [*shell, posixpath.join(PIPES, document.name.replace("/", "_"))], script, summary


def _summary(content: str) -> str:
    lines = content.strip().splitlines() or [""]
    return lines[0][:200] + ("..." if len(lines) > 1 else "")


def _meta(scope: CompileScope, node: StageNode, command: Sequence[str]) -> ops_pb2.Meta:
    options = scope.options
    meta = ops_pb2.Meta(
        args=command, env=[f"{name}={value}" for name, value in node.environment.items()], cwd=node.directory,
        user=node.user, hostname=options.hostname, cgroupParent=options.cgroup_parent, removeMountStubsRecursive=True,
        extraHosts=[ops_pb2.HostIP(Host=name, IP=address) for name, address in options.extra_hosts],
        ulimit=[ops_pb2.Ulimit(Name=name, Soft=soft, Hard=hard) for name, soft, hard in options.ulimits],
    )  # fmt: skip
    if proxies := proxy_values(options.build_args):
        meta.proxy_env.CopyFrom(ops_pb2.ProxyEnv(**proxies))
    return meta


def _add_volumes(node: StageNode, builder: ExecOpBuilder) -> None:
    """Mount the image's volumes with what the image has there; what the command changes in them is lost."""
    volumes = (posixpath.normpath(f"/{volume}").lstrip("/") for volume in node.image.config.volumes)
    paths = sorted({f"/{volume}" for volume in volumes if volume})
    if not paths:
        return
    files = FileOpBuilder(node.output)
    for path in paths:
        files.mkdir(ops_pb2.FileActionMkDir(path=path, mode=0o755, makeParents=True, timestamp=NO_TIME))
    directories = files.build(metadata=describe("[internal] preparing volumes")).output
    for path in paths:
        builder.mount(ops_pb2.Mount(dest=path, selector=path, output=NO_OUTPUT), directories)


def _add_mount(
    scope: CompileScope, node: StageNode, builder: ExecOpBuilder, mount: MountOptions, source: StageNode | None
) -> None:
    if mount.type == "secret":
        _add_secret(builder, mount)
        return
    if mount.type == "ssh":
        if mount.source:
            raise DockerfileError("ssh mount does not have a source", hint="id=NAME selects the agent")
        builder.agent(
            ops_pb2.Mount(
                dest=mount.target, mountType=ops_pb2.SSH,
                SSHOpt=ops_pb2.SSHOpt(
                    ID=mount.id, uid=mount.uid or 0, gid=mount.gid or 0, optional=not mount.is_required,
                    mode=0o600 if mount.mode is None else mount.mode,
                ),
            )
        )  # fmt: skip
        return
    target = posixpath.normpath(posixpath.join("/", node.directory, mount.target))
    target = "/" + target.lstrip("/")
    if target == "/":
        raise DockerfileError(f'invalid mount target "{mount.target[:120]}"', hint="mount below a directory")
    message = ops_pb2.Mount(dest=target, readonly=mount.is_read_only)
    if mount.type == "tmpfs":
        message.mountType = ops_pb2.TMPFS
        message.TmpfsOpt.size = mount.size
        builder.mount(message)
        return
    output: VertexOutput | None = None
    if source is not None:
        if not source.is_dispatched:
            raise DockerfileError(
                f'cannot mount from stage "{mount.stage[:120]}" to "{mount.target[:120]}", stage needs to be defined '
                "before current command"
            )
        output = source.output
        source.paths.add(posixpath.normpath(posixpath.join("/", mount.source)))
    elif mount.type == "bind":
        output = scope.context
        node.context_paths.add(posixpath.normpath(posixpath.join("/", mount.source)))
    selector = posixpath.normpath(posixpath.join("/", mount.source))
    if selector != "/":
        message.selector = selector
    elif mount.type == "cache" and any(value is not None for value in (mount.uid, mount.gid, mount.mode)):
        output = _cache_directory(mount, output)
        message.selector = "/cache"
    if mount.type == "cache":
        message.mountType = ops_pb2.CACHE
        cache_id = mount.id or posixpath.normpath(mount.target)
        message.cacheOpt.CopyFrom(
            ops_pb2.CacheOpt(ID=f"{scope.options.cache_namespace}/{cache_id}", sharing=_SHARING[mount.sharing])
        )
    else:
        message.output = NO_OUTPUT
    builder.mount(message, output)


def _cache_directory(mount: MountOptions, base: VertexOutput | None) -> VertexOutput:
    """Return a file system whose /cache has the owner and mode of a cache mount."""
    files = FileOpBuilder(base)
    files.mkdir(
        ops_pb2.FileActionMkDir(
            path="/cache", mode=0o755 if mount.mode is None else mount.mode, timestamp=NO_TIME,
            owner=owner_option(f"{mount.uid or 0}:{mount.gid or 0}", -1),
        )
    )  # fmt: skip
    return files.build(metadata=describe("[internal] setting cache mount permissions")).output


def _add_secret(builder: ExecOpBuilder, mount: MountOptions) -> None:
    secret_id = mount.source or mount.id or posixpath.basename(mount.target)
    if mount.env is not None:
        builder.secret_variable(ops_pb2.SecretEnv(ID=secret_id, name=mount.env, optional=not mount.is_required))
        if not mount.target:
            return
    target = mount.target or f"/run/secrets/{posixpath.basename(secret_id)}"
    builder.secret(
        ops_pb2.Mount(
            dest=target, mountType=ops_pb2.SECRET,
            secretOpt=ops_pb2.SecretOpt(
                ID=secret_id, uid=mount.uid or 0, gid=mount.gid or 0, optional=not mount.is_required,
                mode=0o400 if mount.mode is None else mount.mode,
            ),
        )
    )  # fmt: skip


def _device(text: str) -> ops_pb2.CDIDevice:
    name, *flags = text.split(",")
    unknown = [flag for flag in flags if flag not in {"required", "required=true", "required=false"}]
    if not name or unknown:
        raise DockerfileError(f"invalid device {text[:120]!r}", hint="RUN --device=NAME,required")
    return ops_pb2.CDIDevice(name=name.removeprefix("name="), optional=not {"required", "required=true"} & set(flags))


def _history(node: StageNode, command: Sequence[str]) -> str:
    """Return the command as the history has it: `|COUNT NAME=VALUE …` before it if the stage has arguments."""
    values: dict[str, str] = {}
    for name, value in node.arguments:
        values[name] = node.environment.get(name, value or "")
    counted = [f"|{len(values)}", *(f"{name}={value}" for name, value in values.items())] if values else []
    return " ".join((*counted, *command))
