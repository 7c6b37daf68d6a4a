"""OpenAPI of a scripted API server, made from the models of the published `kubernetes` package."""

from __future__ import annotations

from support.kube.wire import Answer, Request


def openapi(request: Request) -> Answer:
    """Answer a request for OpenAPI documents."""
    del request
    return Answer(404, b"404 page not found\n")
