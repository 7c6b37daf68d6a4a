"""Bake files and Compose files, resolved to builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pyd_core.buildkit.bake.bake_file import find_files, read_bake_files
from pyd_core.buildkit.bake.targets import BakeTarget, bake_document, choose_targets, parse_override
from pyd_core.errors import InvalidInput, NotFound, PydError, Unsupported

BAKE: dict[str, Any] = {
    "variable": {"TAG": {"default": "1"}, "DEBUG": {"default": False}},
    "group": {"default": {"targets": ["all"]}, "all": {"targets": ["app", "tool"]}},
    "target": {
        "base": {"args": {"V": "${TAG}", "DEBUG": "${DEBUG}"}, "labels": {"l": "1"}, "tags": ["base"]},
        "app": {
            "inherits": ["base"], "context": "src", "dockerfile": "app.Dockerfile", "args": {"W": "2"},
            "tags": ["app:${TAG}"], "contexts": {"lib": "target:tool"}, "output": [{"type": "local", "dest": "out"}],
            "secret": ["id=a,src=b"], "attest": ["type=provenance,mode=max", "type=sbom,disabled=true"],
        },
        "tool": {"dockerfile-inline": "FROM scratch"},
    },
}  # fmt: skip


def resolve(
    tmp_path: Path,
    content: Any,
    *names: str,
    environment: dict[str, str] | None = None,
    overrides: tuple[str, ...] = (),
) -> dict[str, BakeTarget]:
    file = tmp_path / "docker-bake.json"
    file.write_bytes(msgspec.json.encode(content))
    chosen = choose_targets(
        read_bake_files([file], environment or {}), names, [parse_override(text) for text in overrides]
    )
    return {target.name: target for target in chosen}


def test_groups_inheritance_variables_and_needs_are_resolved(tmp_path: Path):
    targets = resolve(tmp_path, BAKE, environment={"TAG": "7", "OTHER": "x"})
    assert [*targets] == ["tool", "app"]
    app = targets["app"].definition
    assert app.arguments == {"V": "7", "DEBUG": "false", "W": "2"}
    assert app.tags == ("app:7",)
    assert app.dockerfile == "src/app.Dockerfile"
    assert app.outputs == ("type=local,dest=out",)
    assert app.attestations == {"provenance": "mode=max"}
    assert targets["app"].needs == ("tool",)
    assert targets["tool"].definition.dockerfile_text == "FROM scratch"


def test_overrides_reach_the_targets_that_their_pattern_matches(tmp_path: Path):
    overrides = ("a*.args.W=3", "*.no-cache=true", "app.tags=x", "tool.platforms=linux/arm64")
    targets = resolve(tmp_path, BAKE, overrides=overrides)
    app, tool = targets["app"].definition, targets["tool"].definition
    assert (app.arguments["W"], app.tags, app.no_cache) == ("3", ("x",), True)
    assert (tool.platforms, tool.no_cache, "W" in tool.arguments) == (("linux/arm64",), True, False)


def test_what_is_printed_is_a_bake_file_of_the_same_targets(tmp_path: Path):
    targets = resolve(tmp_path, BAKE)
    again = resolve(tmp_path, bake_document([*targets.values()]))
    assert {name: target.definition for name, target in again.items()} == {
        name: target.definition for name, target in targets.items()
    }


@pytest.mark.parametrize(
    ("content", "names", "error", "message"),
    [
        (BAKE, ("ap",), NotFound, "no such target: ap"),
        ({"target": {}}, (), InvalidInput, "no targets"),
        ({"target": {"a": {"inherits": ["a"]}}}, (), InvalidInput, "inherit from each other"),
        ({"target": {"a": {"contexts": {"x": "target:a"}}}}, (), InvalidInput, "need each other"),
        ({"target": {"a": {"contexts": {"x": "target:b"}}}}, (), NotFound, "which doesn't exist"),
        ({"target": {"a": {}}, "group": {"g": {"targets": ["g"]}}}, ("g",), InvalidInput, "contain each other"),
        ({"target": {"a": {"matrix": {"x": ["1"]}}}}, (), Unsupported, "is a matrix"),
        ({"target": {"a": {"unheard": 1}}}, (), Unsupported, "unheard isn't supported"),
        ({"target": {"a": {"tags": 5}}}, (), InvalidInput, "tags isn't a list"),
        ({"target": ["a"]}, (), InvalidInput, "isn't a mapping"),
        ({"target": {"a": {"tags": ["${upper(x)}"]}}}, (), InvalidInput, "invalid variable"),
    ],
)
def test_bad_files_are_refused(
    content: Any, names: tuple[str, ...], error: type[PydError], message: str, tmp_path: Path
):
    with pytest.raises(error, match=message):
        resolve(tmp_path, content, *names)


@pytest.mark.parametrize("text", ["app", "app.tags", "tags=x", "app.args=x", "app.nothing=x", "app.tags.x=1"])
def test_bad_overrides_are_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_override(text)


def test_hcl_and_missing_files_are_named(tmp_path: Path):
    with pytest.raises(NotFound) as missing:
        find_files(tmp_path)
    assert missing.value.reference == "no-bake-file"
    (tmp_path / "docker-bake.hcl").touch()
    with pytest.raises(Unsupported) as refused:
        read_bake_files(find_files(tmp_path), {})
    assert refused.value.reference == "bake-hcl"


def test_services_of_a_compose_file_are_targets(tmp_path: Path):
    file = tmp_path / "compose.yaml"
    file.write_text("""
name: shop
services:
  web:
    image: web:${TAG:-1}
    build:
      context: web
      dockerfile: Dev.dockerfile
      args: [A=1, FROM_ENV]
      additional_contexts: {lib: "service:lib", docs: ./docs}
      secrets: [token]
      extra_hosts: ["db:10.0.0.1"]
      ulimits: {nofile: {soft: 1, hard: 2}}
      x-bake: {no-cache: true}
  lib: {build: ./lib}
  db: {image: postgres}
secrets: {token: {environment: TOKEN}}
""")
    targets = {target.name: target for target in choose_targets(read_bake_files([file], {}), [])}
    assert [*targets] == ["lib", "web"]
    web = targets["web"].definition
    assert web.context == str(tmp_path / "web")
    assert web.dockerfile == str(tmp_path / "web/Dev.dockerfile")
    assert web.tags == ("web:1",)
    assert web.arguments == {"A": "1"}
    assert web.contexts == {"lib": "target:lib", "docs": str(tmp_path / "docs")}
    assert web.secrets == ("id=token,env=TOKEN",)
    assert web.ulimits == ("nofile=1:2",)
    assert web.no_cache
    assert targets["lib"].definition.tags == ("shop-lib",)
