"""Requests to an engine as no client of ours would write them."""

from __future__ import annotations

from typing import Any

import httpx

from support.docker import Docker

TIMEOUT_S = 120.0
"""Seconds after which an engine that doesn't answer has failed."""


class Api(httpx.Client):
    """The Engine API behind a corner of an engine on a unix socket."""

    def __init__(self, docker: Docker) -> None:
        transport = httpx.HTTPTransport(uds=docker.host.removeprefix("unix://"))
        super().__init__(transport=transport, base_url="http://engine", timeout=TIMEOUT_S)

    def refusal(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Send a request that must be refused, and return the status and the message."""
        answer = self.request(method, path, **options)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["message"]
