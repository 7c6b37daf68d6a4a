"""The published models of the API: those of the `kubernetes` package, made from the OpenAPI of a release."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from typing import Any

from support.kube.resources import Resource
from support.kube.wire import Answer, Request, status

SPECIAL = {"Event": "CoreV1Event", "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler"}
UNPUBLISHED = {"Table", "PartialObjectMetadata", "APIGroupDiscoveryList", "PodMetricsList", "NodeMetricsList"}
"""Kinds of the API's machinery and of other servers, which the package has no models of."""

SCALARS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "bytes": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "object": object,
}


@cache
def _client() -> Any:
    import kubernetes.client  # a second to load, and only in sessions that have it

    return kubernetes.client


def model_of(kind: str) -> Any:
    """Return the model of a kind, or None where there is none."""
    name = SPECIAL.get(kind.removesuffix("List"), f"V1{kind}")
    return getattr(_client(), name + "List" * (kind.endswith("List") and kind.removesuffix("List") in SPECIAL), None)


def named(name: str) -> Any:
    """Return a model by its own name."""
    return getattr(_client(), name)


@dataclass(frozen=True)
class Field:
    """A field of a model, by its name in JSON."""

    type: str
    required: bool
    description: str


@cache
def fields_of(model: Any) -> dict[str, Field]:
    """Return the fields of a model by their names in JSON."""
    known = {(info.serialization_alias or name): info for name, info in model.model_fields.items()}
    return {
        name: Field(model.openapi_types[field], known[name].is_required(), known[name].description or "")
        for field, name in model.attribute_map.items()
    }


def deviations(document: dict[str, Any]) -> list[str]:
    """Return where an object of the API deviates from the model of its kind."""
    kind = str(document.get("kind", ""))
    if kind in UNPUBLISHED:
        return []
    model = model_of(kind)
    if model is None:
        return [f"no model of {kind or document!r}"]
    return list(_object(document, model, kind))


def _object(document: Any, model: Any, path: str) -> list[str]:
    if not isinstance(document, dict):
        return [f"{path}: no object"]
    fields = fields_of(model)
    wrong = [f"{path}.{name}: no such field" for name in document if name not in fields]
    for name, field in fields.items():
        value = document.get(name)
        if value is not None:
            wrong += _value(value, field.type, f"{path}.{name}")
        elif name not in document and field.required:
            wrong.append(f"{path}.{name}: missing")
    return wrong


def _value(value: Any, kind: str, path: str) -> list[str]:  # noqa: PLR0911 - a form for each kind
    if match := re.fullmatch(r"List\[(.*)\]", kind):
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [text for index, item in enumerate(value) for text in _value(item, match[1], f"{path}[{index}]")]
    if match := re.fullmatch(r"Dict\[str, (.*)\]", kind):
        if not isinstance(value, dict):
            return [f"{path}: no map"]
        return [text for name, item in value.items() for text in _value(item, match[1], f"{path}[{name}]")]
    if kind == "datetime":
        try:
            datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return [f"{path}: {value!r} is no time"]
        return []
    if kind in SCALARS:
        misread = isinstance(value, bool) and kind in {"int", "float"}
        return [] if isinstance(value, SCALARS[kind]) and not misread else [f"{path}: {value!r} is no {kind}"]
    return _object(value, named(kind), path)


def unknown_fields(request: Request, resource: Resource, document: dict[str, Any]) -> Answer | None:
    """Return the refusal of an object with fields that its model lacks, where a request wants it checked."""
    if request.text("fieldValidation") != "Strict" or find_spec("kubernetes") is None:
        return None
    listed = deviations({**document, "kind": resource.kind, "apiVersion": resource.group_version})
    unknown = [text.partition(": ")[0].partition(".")[2] for text in listed if text.endswith("no such field")]
    if not unknown:
        return None
    kind, version = resource.kind, resource.group_version.rpartition("/")[2]
    errors = ", ".join(f'unknown field "{path}"' for path in unknown)
    text = f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding error: {errors}'
    return status(400, "BadRequest", text)
