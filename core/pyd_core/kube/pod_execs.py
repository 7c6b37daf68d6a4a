"""Commands in a cluster's containers: `engine.execs` of a cluster."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from pyd_core.client.transport.base import Duplex
from pyd_core.errors import EngineError, NotFound, Unsupported
from pyd_core.kube.channels import ProcessStreams, open_exec
from pyd_core.kube.pod_store import PodStore
from pyd_core.model.execution import ExecState
from pyd_core.sanitise import safe

MAX_EXECS = 256
"""Ended commands whose exit codes are remembered."""


class _PreparedExec(msgspec.Struct):
    container: str
    command: tuple[str, ...]
    stdin: bool
    tty: bool
    streams: ProcessStreams | None = None


class PodExecs:
    """Commands in the containers of pods. A cluster has no ids for them, so this object keeps them.

    Args:
        store: The pods.
    """

    def __init__(self, store: PodStore) -> None:
        self._store = store
        self._execs: dict[str, _PreparedExec] = {}

    async def create(
        self,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
        env: Sequence[str] = (),
        user: str = "",
        workdir: str = "",
        privileged: bool = False,
        detach_keys: str = "",
    ) -> str:
        """Prepare a command in a running container and return its id.

        Raises:
            Unsupported: It should have another user, other variables or another directory, which clusters can't give.
        """
        del detach_keys
        for given, option in ((env, "--env"), (user, "--user"), (workdir, "--workdir"), (privileged, "--privileged")):
            if given:
                raise Unsupported(
                    f"a cluster runs commands as the container runs: {option} isn't possible",
                    hint="pyd debug opens a shell as another user",
                    reference="exec-option-unsupported",
                )
        while len(self._execs) >= MAX_EXECS:
            del self._execs[next(iter(self._execs))]
        identity = secrets.token_hex(32)
        self._execs[identity] = _PreparedExec(container, tuple(command), stdin, tty)
        return identity

    async def start(self, exec_id: str, *, tty: bool = False) -> Duplex:
        """Start a command and return its streams."""
        prepared = self._get(exec_id)
        member = await self._store.member(prepared.container)
        prepared.streams = await open_exec(
            self._store.api, member, prepared.command, stdin=prepared.stdin, tty=tty or prepared.tty
        )
        return prepared.streams

    async def start_detached(self, exec_id: str) -> None:
        """Refuse: a cluster ends a command with its connection."""
        self._get(exec_id)
        raise Unsupported("a cluster can't run a command in the background", hint="leave --detach out")

    async def inspect(self, exec_id: str) -> ExecState:
        """Return a command's state, or its exit code."""
        streams = self._get(exec_id).streams
        if streams is None or streams.result is None:
            return ExecState(id=exec_id, running=streams is not None)
        if streams.exit_code is None:
            raise EngineError(safe(streams.result.message)[:500] or "the API server reports no exit code")
        return ExecState(id=exec_id, exit_code=streams.exit_code)

    async def resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        """Set the size of its terminal."""
        streams = self._get(exec_id).streams
        if streams is not None:
            await streams.resize(rows=rows, columns=columns)

    def _get(self, exec_id: str) -> _PreparedExec:
        prepared = self._execs.get(exec_id)
        if prepared is None:
            raise NotFound(f"no such exec: {exec_id[:12]}")
        return prepared
