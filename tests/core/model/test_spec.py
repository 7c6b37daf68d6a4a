"""Every field of the model exists in the Engine API's own definition, with a type that fits."""

from __future__ import annotations

import inspect
import pkgutil
import types
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest
import yaml

import pyd_core.model
from pyd_core.model.base import ApiStruct

Schema = dict[str, Any]

SPEC = Path(__file__).parent / "spec/docker-engine-api-v1.45.yaml"

WITHOUT_SPEC = {"pyd_core.model.stats": "the contract calls the body of stats a free-form object"}
"""Modules whose types have no definition to be held against, and why."""

PLAIN = {bool: {"boolean"}, int: {"integer"}, float: {"number", "integer"}, str: {"string"}}


@cache
def document() -> Schema:
    with SPEC.open() as file:
        loaded: Schema = yaml.load(file, Loader=yaml.CSafeLoader)
    return loaded


def wire_types() -> Iterator[type[ApiStruct]]:
    for module in pkgutil.iter_modules(pyd_core.model.__path__, "pyd_core.model."):
        for _, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if issubclass(kind, ApiStruct) and kind is not ApiStruct and kind.__module__ == module.name:
                yield kind


def flatten(schema: Schema) -> Schema:
    """Follow references and fold allOf into one schema."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        return flatten(document()["definitions"][name])
    if "allOf" in schema:
        folded: Schema = {"type": "object", "properties": {}}
        for part in map(flatten, schema["allOf"]):
            folded["properties"] |= part.get("properties", {})
            folded |= {key: value for key, value in part.items() if key != "properties"}
        return folded
    return schema


def resolve(reference: str) -> Schema:
    """Find what a type's SPEC names: see `ApiStruct.SPEC`."""
    if " " in reference:
        method, path, part = reference.split(" ")
        answer, *steps = part.replace("[]", ".[]").split(".")
        called = document()["paths"][path][method.lower()]
        sent = [branch["schema"] for branch in called.get("parameters", []) if branch["in"] == "body"]
        schema = flatten(sent[0] if answer == "body" else called["responses"][int(answer)]["schema"])
    else:
        definition, *steps = reference.replace("[]", ".[]").replace("{}", ".{}").split(".")
        schema = flatten(document()["definitions"][definition])
    for step in steps:
        if step == "[]":
            schema = flatten(schema["items"])
        elif step == "{}":
            schema = flatten(schema["additionalProperties"])
        else:
            schema = flatten(schema["properties"][step])
    return schema


def fits(annotation: Any, schema: Schema) -> bool:
    """Return whether the annotation accepts every value of the schema; nulls are removed before decoding."""
    schema = flatten(schema)
    if get_origin(annotation) in {Union, types.UnionType}:
        return any(fits(choice, schema) for choice in get_args(annotation) if choice is not type(None))
    kind = schema.get("type", "object")
    if annotation in PLAIN:
        return kind in PLAIN[annotation]
    if get_origin(annotation) is list:
        return kind == "array" and fits(get_args(annotation)[0], schema["items"])
    if get_origin(annotation) is dict:
        values = schema.get("additionalProperties")
        return kind == "object" and (not isinstance(values, dict) or fits(get_args(annotation)[1], values))
    return kind == "object" and isinstance(annotation, type) and issubclass(annotation, ApiStruct)


def fields(kind: type[ApiStruct]) -> list[tuple[str, Any]]:
    return [(field.encode_name, field.type) for field in msgspec.structs.fields(kind)]


@pytest.mark.parametrize("kind", list(wire_types()), ids=lambda kind: kind.__name__)
def test_every_field_is_in_the_contract_with_a_type_that_fits(kind: type[ApiStruct]):
    if not kind.SPEC:
        assert kind.__module__ in WITHOUT_SPEC
        return
    known = resolve(kind.SPEC).get("properties", {})
    missing = [name for name, _ in fields(kind) if name not in known]
    assert not missing, f"{kind.SPEC} has no such fields"
    wrong = {
        name: (annotation, flatten(known[name]))
        for name, annotation in fields(kind)
        if not fits(annotation, known[name])
    }
    assert not wrong, f"{kind.SPEC} has other types"


def test_types_that_do_not_fit_are_detected():
    assert not fits(int, {"type": "string"})
    assert not fits(list[int], {"type": "array", "items": {"type": "string"}})
    assert not fits(dict[str, str], {"type": "object", "additionalProperties": {"type": "integer"}})
    assert not fits(str, {"$ref": "#/definitions/Port"})
    assert fits(
        dict[str, list[str] | None],
        {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    )
