"""`LLBBridge`: what clients and front ends request in the middle of a build."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pyd_core.buildkit.proto import control_pb2, gateway_pb2, ops_pb2
from pyd_core.buildkit.proto.gateway_grpc import LLBBridgeBase
from pyd_core.buildkit.proto.worker_pb2 import WorkerRecord
from pyd_core.daemon.build.build import Build
from pyd_core.daemon.build.failures import failure
from pyd_core.daemon.build.grpc.exec_process import serve_process
from pyd_core.daemon.build.grpc.worker import GATEWAY_CAPABILITIES, LLB_CAPABILITIES, capabilities
from pyd_core.daemon.build.interfaces import BuildRef, FrontendResult
from pyd_core.errors import InvalidInput, NotFound, PydError, Unsupported

BUILD_KEY = "buildkit-controlapi-buildid"
"""The metadata key that names the build."""
WAIT_S = 3.0
"""How long a call waits for its build: clients open both at once."""
IMAGE_SCHEME = "docker-image://"
MAX_READ_BYTES = 16 << 20


class LlbBridge(LLBBridgeBase):
    """The service.

    Args:
        find: Returns a running build by its reference, or None.
        worker: Describes the engine's worker.
    """

    def __init__(self, find: Callable[[str], Build | None], worker: Callable[[], Awaitable[WorkerRecord]]) -> None:
        self._find = find
        self._worker = worker

    async def _build(self, stream: Any) -> Build:
        ref = str((stream.metadata or {}).get(BUILD_KEY, ""))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_S
        while (build := self._find(ref)) is None:
            if not ref or loop.time() > deadline:
                raise NotFound(f"no such job {ref[:100]}")
            await asyncio.sleep(0.01)
        return build

    async def Ping(self, stream: Any) -> None:
        """Return the builder's capabilities."""
        await stream.recv_message()
        await stream.send_message(
            gateway_pb2.PongResponse(
                FrontendAPICaps=capabilities(GATEWAY_CAPABILITIES),
                LLBCaps=capabilities(LLB_CAPABILITIES),
                Workers=[await self._worker()],
            )
        )

    async def Solve(self, stream: Any) -> None:
        """Solve a definition, or run a front end."""
        build, request = await self._build(stream), await stream.recv_message()
        try:
            result = await self._solve(build, request)
        except PydError as error:
            raise failure(error, build.sources, build.file) from error
        await stream.send_message(gateway_pb2.SolveResponse(result=_message(build, result)))

    async def _solve(self, build: Build, request: gateway_pb2.SolveRequest) -> FrontendResult:
        if request.Frontend:
            result = await build.solve_frontend(request.Frontend, request.FrontendOpt, request.FrontendInputs)
            if request.Evaluate:
                for ref in result.refs.values():
                    if ref is not None:
                        await ref.evaluate()
            return result
        if not request.HasField("Definition"):
            return FrontendResult(refs={"": None})
        imports = tuple(
            control_pb2.CacheOptionsEntry(Type=entry.Type, Attrs=entry.Attrs) for entry in request.CacheImports
        )
        ref = await build.solve(request.Definition, imports=imports, evaluate=request.Evaluate)
        return FrontendResult(refs={"": ref}, definitions={"": request.Definition})

    async def Return(self, stream: Any) -> None:
        """Take the result of a build whose client drives it."""
        build, request = await self._build(stream), await stream.recv_message()
        if request.HasField("error") and (request.error.code or request.error.message):
            build.fail(request)
        else:
            build.finish(_result(build, request.result))
        await stream.send_message(gateway_pb2.ReturnResponse())

    async def Inputs(self, stream: Any) -> None:
        """Return the definitions that the client sent with its request."""
        build = await self._build(stream)
        await stream.recv_message()
        await stream.send_message(gateway_pb2.InputsResponse(Definitions=build.request.inputs))

    async def ResolveImageConfig(self, stream: Any) -> None:
        """Return digest and configuration of an image."""
        build, request = await self._build(stream), await stream.recv_message()
        digest, config = await build.image_config(
            request.Ref,
            platform=request.Platform if request.HasField("Platform") else None,
            resolve_mode=request.ResolveMode,
        )
        await stream.send_message(gateway_pb2.ResolveImageConfigResponse(Digest=digest, Config=config, Ref=request.Ref))

    async def ResolveSourceMeta(self, stream: Any) -> None:
        """Return digest and configuration of a source that is an image; other sources are returned unchanged."""
        build, request = await self._build(stream), await stream.recv_message()
        response = gateway_pb2.ResolveSourceMetaResponse(Source=request.Source)
        if request.Source.identifier.startswith(IMAGE_SCHEME):
            digest, config = await build.image_config(
                request.Source.identifier.removeprefix(IMAGE_SCHEME),
                platform=request.Platform if request.HasField("Platform") else None,
                resolve_mode=request.ResolveMode,
            )
            response.Image.Digest = digest
            if not request.Image.NoConfig:
                response.Image.Config = config
        await stream.send_message(response)

    async def ReadFile(self, stream: Any) -> None:
        """Return a file of a result."""
        build, request = await self._build(stream), await stream.recv_message()
        length = request.Range.Length
        if length > MAX_READ_BYTES or length < 0 or request.Range.Offset < 0:
            raise InvalidInput(f"at most {MAX_READ_BYTES} bytes of a file can be read at once")
        data = await build.ref(request.Ref).read_file(request.FilePath, offset=request.Range.Offset, length=length)
        await stream.send_message(gateway_pb2.ReadFileResponse(Data=data))

    async def ReadDir(self, stream: Any) -> None:
        """List a directory of a result."""
        build, request = await self._build(stream), await stream.recv_message()
        entries = await build.ref(request.Ref).read_dir(request.DirPath, pattern=request.IncludePattern)
        await stream.send_message(gateway_pb2.ReadDirResponse(entries=entries))

    async def StatFile(self, stream: Any) -> None:
        """Return what a path of a result is."""
        build, request = await self._build(stream), await stream.recv_message()
        await stream.send_message(
            gateway_pb2.StatFileResponse(stat=await build.ref(request.Ref).stat_file(request.Path))
        )

    async def Evaluate(self, stream: Any) -> None:
        """Run what a result depends on."""
        build, request = await self._build(stream), await stream.recv_message()
        try:
            await build.ref(request.Ref).evaluate()
        except PydError as error:
            raise failure(error, build.sources, build.file) from error
        await stream.send_message(gateway_pb2.EvaluateResponse())

    async def Warn(self, stream: Any) -> None:
        """Report a warning of a client's front end."""
        build, request = await self._build(stream), await stream.recv_message()
        build.progress.warning(
            control_pb2.VertexWarning(
                vertex=request.digest,
                level=request.level,
                short=request.short,
                detail=request.detail,
                url=request.url,
                info=request.info if request.HasField("info") else None,
                ranges=request.ranges,
            )
        )
        await stream.send_message(gateway_pb2.WarnResponse())

    async def NewContainer(self, stream: Any) -> None:
        """Open a container on results of the build."""
        build, request = await self._build(stream), await stream.recv_message()
        mounts = [build.ref(mount.resultID) if mount.resultID else None for mount in request.Mounts]
        await build.open_container(request, mounts)
        await stream.send_message(gateway_pb2.NewContainerResponse())

    async def ReleaseContainer(self, stream: Any) -> None:
        """Remove a container."""
        build, request = await self._build(stream), await stream.recv_message()
        container = build.containers.pop(request.ContainerID, None)
        if container is None:
            raise NotFound(f"no such container: {request.ContainerID[:100]}")
        await container.release()
        await stream.send_message(gateway_pb2.ReleaseContainerResponse())

    async def ExecProcess(self, stream: Any) -> None:
        """Run processes in containers of the build."""
        await serve_process(stream, await self._build(stream))

    async def ReadFileContainer(self, stream: Any) -> None:
        """Refuse: files of running containers are read by a process in them."""
        await self._unserved(stream, "ReadFileContainer")

    async def ReadDirContainer(self, stream: Any) -> None:
        """Refuse: directories of running containers are read by a process in them."""
        await self._unserved(stream, "ReadDirContainer")

    async def StatFileContainer(self, stream: Any) -> None:
        """Refuse: files of running containers are read by a process in them."""
        await self._unserved(stream, "StatFileContainer")

    async def _unserved(self, stream: Any, method: str) -> None:
        await stream.recv_message()
        raise Unsupported(f"{method} is not served by this engine", reference="not-served")


def _ref_message(build: Build, ref: BuildRef | None, definition: ops_pb2.Definition | None) -> gateway_pb2.Ref:
    if ref is None:
        return gateway_pb2.Ref()
    return gateway_pb2.Ref(id=ref.id, **{"def": definition or build.definition(ref.id)})


def _message(build: Build, result: FrontendResult) -> gateway_pb2.Result:
    message = gateway_pb2.Result(metadata=result.metadata, attestations=result.attestations)
    if set(result.refs) == {""}:
        message.ref.CopyFrom(_ref_message(build, result.refs[""], result.definitions.get("")))
    else:
        for name, ref in result.refs.items():
            message.refs.refs[name].CopyFrom(_ref_message(build, ref, result.definitions.get(name)))
    return message


def _result(build: Build, message: gateway_pb2.Result) -> FrontendResult:
    """Read the result that a client returns; its refs are those that the build gave out."""

    def held(ref_id: str) -> BuildRef | None:
        return build.ref(ref_id) if ref_id else None

    match message.WhichOneof("result"):
        case "refDeprecated":
            ids = {"": message.refDeprecated}
        case "refsDeprecated":
            ids = dict(message.refsDeprecated.refs)
        case "ref":
            ids = {"": message.ref.id}
        case "refs":
            ids = {name: ref.id for name, ref in message.refs.refs.items()}
        case _:
            ids = {"": ""}
    definitions = {name: known for name, ref_id in ids.items() if (known := build.definition(ref_id)) is not None}
    return FrontendResult(
        refs={name: held(ref_id) for name, ref_id in ids.items()},
        metadata=dict(message.metadata),
        definitions=definitions,
        attestations=dict(message.attestations),
    )
