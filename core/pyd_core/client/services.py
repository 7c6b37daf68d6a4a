"""Services of a swarm; only a manager answers."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from pyd_core.client.api_client import ApiClient, Query, segment
from pyd_core.client.credentials import RegistryCredentials, credentials_header
from pyd_core.client.swarm_update import Edit, edit
from pyd_core.client.transport.base import Stream
from pyd_core.errors import InvalidInput
from pyd_core.model.base import decode
from pyd_core.model.service import Service, ServiceCreated, ServiceUpdated

Filters = Mapping[str, list[str]]


class ServicesApi:
    """`engine.services`: everything under `/services`. Names and ids both do."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Service]:
        """Return the services, each with how many of its tasks run."""
        return await self._client.get("/services", list[Service], {"filters": filters, "status": True})

    async def inspect(self, name: str) -> Service:
        """Return one service."""
        return await self._client.get(f"/services/{segment(name)}", Service)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/services/{segment(name)}")).body

    async def create(
        self, spec: Mapping[str, object], *, credentials: RegistryCredentials | None = None
    ) -> ServiceCreated:
        """Create a service from a body as `POST /services/create` takes it.

        Args:
            spec: The body.
            credentials: What nodes show the image's registry when they pull.
        """
        headers = credentials_header(credentials)
        return decode(await self._client.post("/services/create", body=spec, headers=headers), ServiceCreated)

    async def edit(
        self, name: str, change: Edit, *, credentials: RegistryCredentials | None = None
    ) -> builtins.list[str]:
        """Change a service's spec by a function that edits it in place, and return the engine's warnings.

        Args:
            name: The service.
            change: Edits its spec.
            credentials: What nodes show the image's registry from now on; those it has stay where there are none.
        """
        headers = credentials_header(credentials)
        return decode(await edit(self._client, "services", name, change, headers=headers), ServiceUpdated).warnings

    async def rollback(self, name: str) -> builtins.list[str]:
        """Go back to the spec before the last change, and return the engine's warnings."""
        body = await edit(self._client, "services", name, lambda _: None, query={"rollback": "previous"})
        return decode(body, ServiceUpdated).warnings

    async def scale(self, name: str, replicas: int) -> builtins.list[str]:
        """Set how many tasks it has.

        Raises:
            InvalidInput: It runs on every node, so that their number is the number of nodes.
        """

        def change(spec: dict[str, object]) -> None:
            mode = spec.get("Mode")
            if not isinstance(mode, dict) or not isinstance(mode.get("Replicated"), dict):
                raise InvalidInput(
                    f"the service {name} has no number of replicas", hint="only replicated services can be scaled"
                )
            mode["Replicated"]["Replicas"] = replicas

        return await self.edit(name, change)

    async def restart(self, name: str) -> builtins.list[str]:
        """Replace every task, though nothing changed."""

        def change(spec: dict[str, object]) -> None:
            template = spec.setdefault("TaskTemplate", {})
            if isinstance(template, dict):
                template["ForceUpdate"] = int(template.get("ForceUpdate") or 0) + 1

        return await self.edit(name, change)

    async def remove(self, name: str) -> None:
        """Remove it, with its tasks."""
        await self._client.send("DELETE", f"/services/{segment(name)}")

    def logs(
        self,
        name: str,
        *,
        follow: bool = False,
        since: str | None = None,
        tail: int | None = None,
        timestamps: bool = False,
        details: bool = False,
    ) -> AbstractAsyncContextManager[Stream]:
        """Stream the output of all its tasks, framed; with `details` each line names its task and node."""
        query: Query = {
            "follow": follow,
            "since": since,
            "tail": "all" if tail is None else str(tail),
            "timestamps": timestamps,
            "details": details,
            "stdout": True,
            "stderr": True,
        }
        return self._client.stream("GET", f"/services/{segment(name)}/logs", query)
