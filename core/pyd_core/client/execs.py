"""Commands that the engine runs in its containers (`exec`)."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.client.transport.base import Duplex
from pyd_core.model.base import decode
from pyd_core.model.execution import ExecCreated, ExecState


class ExecsApi:
    """`engine.execs`: everything under `/exec`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

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
        """Prepare a command in a running container and return its id."""
        body = {
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": tty,
            "Cmd": list(command),
            "Env": list(env),
            "User": user,
            "WorkingDir": workdir,
            "Privileged": privileged,
            "DetachKeys": detach_keys,
        }
        response = await self._client.post(f"/containers/{segment(container)}/exec", body=body)
        return decode(response, ExecCreated).id

    async def start(self, exec_id: str, *, tty: bool = False) -> Duplex:
        """Start a command and return its streams; the output is framed unless it has a terminal."""
        return await self._client.upgrade(f"/exec/{segment(exec_id)}/start", body={"Detach": False, "Tty": tty})

    async def start_detached(self, exec_id: str) -> None:
        """Start a command without attaching to it."""
        await self._client.post(f"/exec/{segment(exec_id)}/start", body={"Detach": True, "Tty": False})

    async def inspect(self, exec_id: str) -> ExecState:
        """Return a command's state, or its exit code."""
        return await self._client.get(f"/exec/{segment(exec_id)}/json", ExecState)

    async def resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        """Set the size of its terminal."""
        await self._client.post(f"/exec/{segment(exec_id)}/resize", {"h": rows, "w": columns})
