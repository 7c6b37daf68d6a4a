"""OpenAPI of a scripted API server, made from the models of the published `kubernetes` package."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from support.kube.patch import MERGE_KEYS
from support.kube.published import fields_of, model_of, named
from support.kube.resources import RESOURCES, Resource
from support.kube.wire import Answer, Request

Document = dict[str, Any]

SCALARS: dict[str, Document] = {
    "str": {"type": "string"},
    "bytes": {"type": "string", "format": "byte"},
    "int": {"type": "integer", "format": "int32"},
    "float": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "object": {},
}


def openapi(request: Request) -> Answer:
    """Answer a request for OpenAPI documents; version 2 is not served."""
    paths = {_document_path(group_version): group_version for group_version in _group_versions()}
    if request.path == "/openapi/v3":
        listed = {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}
        return Answer(200, {"paths": listed})
    group_version = paths.get(request.path.removeprefix("/openapi/v3/"))
    if group_version is None:
        return Answer(404, b"404 page not found\n")
    return Answer(200, _document(group_version))


def _group_versions() -> list[str]:
    return list(dict.fromkeys(resource.group_version for resource in RESOURCES.values()))


def _document_path(group_version: str) -> str:
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


@cache
def _document(group_version: str) -> Document:
    schemas: Document = {}
    paths: Document = {}
    for resource in RESOURCES.values():
        if resource.group_version == group_version and (model := model_of(resource.kind)) is not None:
            group, _, version = group_version.rpartition("/")
            kind = {"group": group, "version": version, "kind": resource.kind}
            _collect(model, schemas)
            schemas[schema_name(model.__name__)]["x-kubernetes-group-version-kind"] = [kind]
            paths[_object_path(resource)] = _operations(resource, kind, model)
    info = {"title": "Kubernetes", "version": "v1.36.2"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _object_path(resource: Resource) -> str:
    space = "/namespaces/{namespace}" if resource.namespaced else ""
    return f"/{_document_path(resource.group_version)}{space}/{resource.name}/{{name}}"


def _operations(resource: Resource, kind: Document, model: Any) -> Document:
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema_name(model.__name__)}"}}}
    answer = {"200": {"description": "OK", "content": body}}
    options = ("dryRun", "fieldManager", "fieldValidation")
    query = [{"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in options]
    common = {"x-kubernetes-group-version-kind": kind, "responses": answer}
    return {
        "get": {**common, "x-kubernetes-action": "get", "description": f"read the specified {resource.kind}"},
        "put": {**common, "x-kubernetes-action": "put", "parameters": query, "requestBody": {"content": body}},
        "patch": {**common, "x-kubernetes-action": "patch", "parameters": query},
        "delete": {**common, "x-kubernetes-action": "delete", "parameters": query[:1]},
    }


def schema_name(model: str) -> str:
    """Return the name of a model's schema: its last part is that of the type, as `explain` prints it."""
    match = re.fullmatch(r"(?P<group>[A-Z]\w*?)?(?P<version>V\d(?:alpha\d|beta\d)?)(?P<name>\w+)", model)
    assert match is not None, model
    group = (match["group"] or "core").lower()
    return f"io.k8s.api.{group}.{match['version'].lower()}.{match['name']}"


def _collect(model: Any, schemas: Document) -> None:
    """Add the schema of a model, and those to which it refers."""
    name = schema_name(model.__name__)
    if name in schemas:
        return
    schema: Document = {"type": "object", "description": (model.__doc__ or "").partition("\n\n")[0].strip()}
    schemas[name] = schema
    properties: Document = {}
    fields = fields_of(model)
    for field_name, field in fields.items():
        properties[field_name] = {
            **_type(field.type, schemas),
            "description": field.description,
            **_strategy(field_name, field.type),
        }
    required = [field_name for field_name, field in fields.items() if field.required]
    schema["properties"] = properties
    if required:
        schema["required"] = required


def _type(kind: str, schemas: Document) -> Document:
    if match := re.fullmatch(r"List\[(.*)\]", kind):
        return {"type": "array", "items": _type(match[1], schemas)}
    if match := re.fullmatch(r"Dict\[str, (.*)\]", kind):
        return {"type": "object", "additionalProperties": _type(match[1], schemas)}
    if kind in SCALARS:
        return dict(SCALARS[kind])
    model = named(kind)
    _collect(model, schemas)
    return {"allOf": [{"$ref": f"#/components/schemas/{schema_name(model.__name__)}"}], "default": {}}


def _strategy(name: str, kind: str) -> Document:
    """Return how lists are merged, which the models don't say."""
    key = {"List[V1ContainerPort]": "containerPort", "List[V1ServicePort]": "port"}.get(kind) or MERGE_KEYS.get(name)
    if not kind.startswith("List[V") or not key:
        return {}
    return {"x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": key}
