"""A target that a helper container enters, as builtins see it."""

from __future__ import annotations

import errno
import importlib.resources
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import msgspec

from pyd_core.client.api_client import ApiClient
from pyd_core.debug.access import AccessProcess, CommandOutcome, DirectoryEntry
from pyd_core.debug.environment import tool_environment
from pyd_core.debug.helper.channels import ChannelProcess, Channels
from pyd_core.debug.helper.context import HelperContext
from pyd_core.debug.helper.launch import RunningHelper, launch_with_retry
from pyd_core.debug.helper.link import TargetFacts
from pyd_core.debug.helper.plan import joining_plan
from pyd_core.debug.helper.session import launch_joining_helper
from pyd_core.debug.helper.tiers import Tier
from pyd_core.debug.inspectors.dns import addresses
from pyd_core.debug.inspectors.processes import target_pid
from pyd_core.debug.local import explain_errno
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.resolve import open_engine, resolve_remote
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.target import RemoteTarget
from pyd_core.debug.toolbox import PREFIX
from pyd_core.debug.user_io import UserIO
from pyd_core.errors import KernelError, ProtocolError, PydError
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_QUERY_MODULES = ("errors", "linux.openat2", "debug.local_files", "debug.helper.query_agent")
"""Modules of `pyd_core`: the query agent, and those it needs, each after those it imports."""

_LOAD = """
import sys
for name, source in MODULES:
    sys.modules[name] = module = type(sys)(name)
    exec(compile(source, name, "exec"), module.__dict__)
module.main(sys.argv[1:])
"""

_MAX_ANSWER_BYTES = 64 << 20
"""Bytes of one answer."""


def query_command(*arguments: str) -> list[str]:
    """Return the command of the query agent inside a session."""
    package = importlib.resources.files("pyd_core")
    modules = [(name, "") for name in ("pyd_core", "pyd_core.linux", "pyd_core.debug", "pyd_core.debug.helper")]
    for name in _QUERY_MODULES:
        path = package.joinpath(*f"{name}.py".replace(".", "/", name.count(".")).split("/"))
        modules.append((f"pyd_core.{name}", path.read_text(encoding="utf-8")))
    return [f"{PREFIX}/bin/python3", "-I", "-S", "-B", "-c", f"MODULES = {modules!r}\n{_LOAD}", *arguments]


@contextmanager
def open_helper_access(
    engine: ApiClient, request: SessionRequest, target: RemoteTarget, io: UserIO, *, entered: Container | None = None
) -> Iterator[HelperAccess]:
    """Open access to a target through a helper container, for as long as the block lasts.

    Args:
        engine: The engine that has it.
        request: The request for access.
        target: The container.
        io: Shows notices and the progress of the toolbox and its image.
        entered: See `helper_context`.

    Raises:
        PydError: It can't be reached.
    """

    def enter(context: HelperContext) -> AbstractContextManager[RunningHelper]:
        return launch_joining_helper(context, request.options, io)

    with launch_with_retry(engine, request, target, io, enter, entered=entered) as (context, helper):
        subject = context.subject
        channels = Channels(helper.link, safe(subject.name) or subject.id[:12])
        try:
            yield HelperAccess(
                subject,
                context.target,
                channels,
                options=request.options,
                tier=helper.tier,
                facts=cast("TargetFacts", helper.facts),
            )
        finally:
            channels.close()


@contextmanager
def open_session_access(request: SessionRequest, entered: Container, io: UserIO) -> Iterator[HelperAccess]:
    """Open access to the container that a session through a helper is in, for its builtins.

    Args:
        request: The session's.
        entered: The container that it is in.
        io: Shows notices.

    Raises:
        PydError: It can't be reached.
    """
    with open_engine(request.endpoint) as engine:
        target = resolve_remote(engine, request.options, "the shell's builtins ask it")
        with open_helper_access(engine, request, target, io, entered=entered) as access:
            yield access


class HelperAccess:
    """The `Access` to a target through an agent in a helper container.

    Args:
        container: The inspect data of the container that is meant.
        target: The container that is entered: the same, or its stand-in.
        channels: To the agent.
        options: The options for entering it.
        tier: The helper's rights.
        facts: The agent's facts about it.
    """

    def __init__(
        self,
        container: Container,
        target: Container,
        channels: Channels,
        *,
        options: DebugOptions,
        tier: Tier,
        facts: TargetFacts,
    ) -> None:
        self._container = container
        self.target = target
        """The container that is entered."""
        self.options = options
        """The options for entering it."""
        self.tier = tier
        """The helper's rights."""
        self.facts = facts
        """The agent's facts about the target."""
        self.channels = channels
        """The programs that the agent runs."""
        self._lock = threading.Lock()
        self._query_process: ChannelProcess | None = None
        self._buffer = b""

    @property
    def container(self) -> Container:
        """See `Access`."""
        return self._container

    @property
    def main_pid(self) -> int:
        """See `Access`; as the target numbers it."""
        return target_pid(self.facts.status.encode(), self.facts.pid)

    @property
    def maps_ids(self) -> bool:
        """See `Access`; a session is in the target's user namespace."""
        return False

    def pids(self) -> Sequence[int]:
        """See `Access`."""
        return msgspec.convert(self._ask("pids", self.main_pid, subject="processes")[0], list[int])

    def proc(self, pid: int, name: str, *, limit: int = 1 << 20) -> bytes:
        """See `Access`."""
        return self._ask("proc", pid, name, limit, subject=f"process {pid}")[1]

    def proc_link(self, pid: int, name: str) -> str:
        """See `Access`."""
        return msgspec.convert(self._ask("proc_link", pid, name, subject=f"process {pid}")[0], str)

    def proc_names(self, pid: int, name: str) -> Sequence[str]:
        """See `Access`."""
        return msgspec.convert(self._ask("proc_names", pid, name, subject=f"process {pid}")[0], list[str])

    def cgroup(self, controller: str, name: str) -> bytes:
        """See `Access`."""
        return self._ask("cgroup", controller, name, subject=f"{name} of the cgroup")[1]

    def list(self, path: str) -> Sequence[DirectoryEntry]:
        """See `Access`."""
        return [_entry(fields) for fields in msgspec.convert(self._ask("listing", path, subject=path)[0], _Listing)]

    def stat(self, path: str, *, follow: bool = True) -> DirectoryEntry:
        """See `Access`."""
        return _entry(msgspec.convert(self._ask("status", path, follow, subject=path)[0], _Fields))

    def read_file(self, path: str, *, offset: int = 0, limit: int = 1 << 24) -> bytes:
        """See `Access`."""
        return self._ask("read_file", path, offset, limit, subject=path)[1]

    def write_file(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """See `Access`."""
        self._ask("write_file", path, mode, subject=path, data=data)

    def start(self, argv: Sequence[str], *, identity: str = "root", env: Sequence[str] = ()) -> ChannelProcess:
        """See `Access`."""
        options = msgspec.structs.replace(
            self.options, command=tuple(argv), line=None, identity=identity, explain=False
        )
        plan = joining_plan(self.target, options, self.tier, self.facts, lambda _line: None)
        own = plan["env"] if identity == "target" else tool_environment(plan["env"])
        plan["env"] = own | {name: value for name, _, value in (pair.partition("=") for pair in env)}
        return self.channels.start(plan)

    def run(
        self, argv: Sequence[str], *, identity: str = "root", env: Sequence[str] = (), data: bytes = b""
    ) -> CommandOutcome:
        """See `Access`."""
        process = self.start(argv, identity=identity, env=env)
        try:
            process.write(data)
            return process.finish()
        except BaseException:
            process.end()
            raise

    def connect(self, host: str, port: int) -> AccessProcess:
        """See `Access`; names are looked up as the target would."""
        number = errno.EADDRNOTAVAIL
        for address in addresses(self, host):
            process = self.start(query_command("connect", address, str(port)))
            reply = process.read(4)
            number = int.from_bytes(reply, "big")
            if len(reply) == 4 and number == 0:
                return process
            process.end()
        raise KernelError("connect", number or errno.EIO, f"{host} port {port}")

    def _ask(self, call: str, *arguments: Any, subject: str, data: bytes = b"") -> tuple[Any, bytes]:
        with self._lock:
            if self._query_process is None:
                self._query_process = self.start(query_command())
            self._query_process.write(msgspec.json.encode([call, *arguments, len(data)]) + b"\n" + data)
            try:
                number, value, size = msgspec.json.decode(self._read_line(), type=tuple[int, Any, int])
            except msgspec.DecodeError as error:
                raise self._malformed() from error
            if not 0 <= size <= _MAX_ANSWER_BYTES:
                raise self._malformed()
            content = self._read_exactly(size)
        if number:
            raise explain_errno(number, safe(subject))
        return value, content

    def _read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        content, self._buffer = self._buffer[:size], self._buffer[size:]
        return content

    def _receive(self) -> None:
        answerer = self._query_process
        data = answerer.read(1 << 20) if answerer is not None else b""
        if not data or len(self._buffer) > _MAX_ANSWER_BYTES + (1 << 20):
            self._query_process, self._buffer = None, b""
            if answerer is not None and not data:
                done = answerer.finish()  # raises where the join or the connection failed
                raise ProtocolError(
                    f"what answers in the container has ended: {safe(done.stderr.decode(errors='replace')[-300:])}"
                )
            raise self._malformed()
        self._buffer += data

    def _malformed(self) -> PydError:
        return ProtocolError("the container's answer is malformed")


_Fields = tuple[str, int, int, int, int, float, str]
_Listing = list[_Fields]


def _entry(fields: _Fields) -> DirectoryEntry:
    name, mode, size, uid, gid, changed, link = fields
    return DirectoryEntry(name=name, mode=mode, size=size, uid=uid, gid=gid, changed=changed, link=link)
