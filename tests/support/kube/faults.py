"""Faults that a scripted API server plays."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from support.kube.resources import Target
from support.kube.reviews import forbidden
from support.kube.wire import Answer, Request, status

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass
class Fault:
    """An answer in place of the usual one, a number of times."""

    pattern: re.Pattern[str]
    answer: Answer
    times: int = 1


@dataclass
class Denial:
    """A refusal by RBAC: expressions for the verb, the resource with its subresource, and the namespace."""

    verb: re.Pattern[str]
    resource: re.Pattern[str]
    namespace: re.Pattern[str]


@dataclass
class Faults:
    """The faults of a server.

    Attributes:
        cut_watch_bytes: Ends the next watch within its stream, after this number of bytes.
        expired_tokens: Bearer tokens that the server no longer takes.
        refuses_websockets: Whether it refuses to speak WebSocket, as some proxies before a cluster do.
        delay_s: Seconds before each answer to a list.
        minor: The server's minor version, which decides what it can do.
    """

    cut_watch_bytes: int | None = None
    expired_tokens: set[str] = field(default_factory=set)
    refuses_websockets: bool = False
    delay_s: float = 0
    minor: int = 36
    _answers: list[Fault] = field(default_factory=list)
    _denials: list[Denial] = field(default_factory=list)

    def fail(self, pattern: str, answer: Answer, *, times: int = 1) -> None:
        """Answer requests whose `METHOD path?query` matches with something else."""
        self._answers.append(Fault(re.compile(pattern), answer, times))

    def deny(self, verb: str, resource: str, namespace: str = ".*") -> None:
        """Refuse a verb on a resource; each is a regular expression."""
        self._denials.append(Denial(re.compile(verb), re.compile(resource), re.compile(namespace)))

    def allowed(self, verb: str, resource: str, namespace: str, name: str = "") -> bool:
        """Return whether RBAC allows a verb on a resource."""
        del name
        return not any(
            denial.verb.fullmatch(verb)
            and denial.resource.fullmatch(resource)
            and denial.namespace.fullmatch(namespace)
            for denial in self._denials
        )

    async def answer(self, request: Request, line: str) -> Answer | None:
        """Return the answer that a fault gives, or None."""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer in self.expired_tokens:
            return status(401, "Unauthorized", "Unauthorized")
        if self.delay_s and request.method == "GET" and "limit=" in line:
            await asyncio.sleep(self.delay_s)
        for fault in self._answers:
            if fault.times and fault.pattern.search(line):
                fault.times -= 1
                return fault.answer
        return None

    def refusal(self, request: Request, target: Target) -> Answer | None:
        """Return the refusal by RBAC of a request, or None."""
        if not self._denials:
            return None
        resource = target.resource.name + (f"/{target.sub}" if target.sub else "")
        verb = VERBS.get(request.method) or ("get" if target.name else "watch" if request.flag("watch") else "list")
        if target.sub in {"exec", "attach", "portforward"}:
            # Since 1.35 a GET with an upgrade needs the right to create as well; before it needed only `get`.
            verb = "create" if request.method == "POST" or self.minor >= 35 else "get"
        if self.allowed(verb, resource, target.namespace):
            return None
        return forbidden(verb, target.resource, target.sub, target.namespace, target.name)
