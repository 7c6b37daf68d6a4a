"""Bodies of requests: JSON, YAML of applies, and Kubernetes' protobuf."""

from __future__ import annotations

import json
from typing import Any

from support.kube.protobuf import MAGIC, UnknownMessage, decode_object
from support.kube.wire import Answer, Request, status


class BodyRefused(Exception):
    """The body cannot be read."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.body))
        self.answer = answer


def decode(request: Request) -> Any:
    """Return the object in a request's body; an empty one where it has none.

    Raises:
        BodyRefused: It is in no format that the server reads.
    """
    if not request.body:
        return {}
    kind = request.headers.get("content-type", "application/json")
    if request.body.startswith(MAGIC):
        try:
            return decode_object(request.body)
        except UnknownMessage as error:
            raise BodyRefused(status(415, "UnsupportedMediaType", str(error))) from error
    if "apply-patch+yaml" in kind or kind == "application/yaml":
        import yaml

        return yaml.safe_load(request.body)
    if "json" not in kind:
        text = f"the body of the request was in an unknown format - accepted media types include: {kind} is not one"
        raise BodyRefused(status(415, "UnsupportedMediaType", text))
    try:
        return json.loads(request.body)
    except ValueError as error:
        text = f"error decoding from json: {error}"
        raise BodyRefused(status(400, "BadRequest", text)) from error
