"""Outlines: the arguments, secrets, agents and caches that a target uses."""

from __future__ import annotations

import base64
from typing import Any

from pyd_core.buildkit.frontend.compiler import DockerfileSource
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.expansion import expand
from pyd_core.dockerfile.instructions import ArgInstruction, CopyInstruction, RunInstruction, Stage
from pyd_core.dockerfile.parser import parse_dockerfile
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.stages import divide
from pyd_core.errors import DockerfileError


class _OutlineBuilder:
    def __init__(self, options: FrontendOptions) -> None:
        self._options = options
        self.arguments: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, Any]] = {}
        self.agents: dict[str, dict[str, Any]] = {}
        self.caches: dict[str, dict[str, Any]] = {}

    def add_arguments(self, item: ArgInstruction) -> None:
        for declaration in item.declarations:
            entry: dict[str, Any] = {"name": declaration.name, "location": location(item.span)}
            value = self._options.build_args.get(declaration.name, declaration.default)
            if value:
                entry["value"] = value
            if description := description_of(item.node.comments, declaration.name):
                entry["description"] = description
            known = self.arguments.get(declaration.name)
            if known is None or ("value" not in known and value):
                self.arguments[declaration.name] = entry

    def add_mounts(self, item: RunInstruction) -> None:
        for mount in item.mounts:
            values: dict[str, str] = {}
            for field in mount.fields:
                key, _, value = field.partition("=")
                values[key] = value
            name = values.get("id") or values.get("source") or values.get("src") or values.get("target", "")
            entry: dict[str, Any] = {"location": location(item.span)}
            if values.get("required", "false") in {"", "true", "1"}:
                entry["required"] = True
            if mount.kind == "secret":
                name = name.rpartition("/")[2]
                self.secrets.setdefault(name, {"name": name, **entry})
            elif mount.kind == "ssh":
                self.agents.setdefault(name or "default", {"name": name or "default", **entry})
            elif mount.kind == "cache":
                self.caches.setdefault(name, {"ID": name, "location": entry["location"]})


def outline_of(source: DockerfileSource, options: FrontendOptions) -> dict[str, Any]:
    """Return the outline of a target, in the form of BuildKit's `frontend.outline`.

    Raises:
        DockerfileError: The Dockerfile can't be read.
    """
    tree = parse_dockerfile(source.text, name=source.filename)
    case = CheckCase(tree=tree, dockerfile=divide(tree), target=options.target)
    stage = case.target_stage
    outline: dict[str, Any] = {"sources": [base64.b64encode(source.text).decode()]}
    if stage.name:
        outline["name"] = stage.name
    if description := description_of(stage.start.node.comments, stage.name):
        outline["description"] = description
    builder = _OutlineBuilder(options)
    needed = _needed(case, stage)
    instructions = [item for link in needed for item in link.instructions]
    used = _used_globals(case, needed)
    declared = [item for item in case.dockerfile.global_arguments if used & {part.name for part in item.declarations}]
    for item in (*declared, *instructions):
        if isinstance(item, ArgInstruction):
            builder.add_arguments(item)
        elif isinstance(item, RunInstruction):
            builder.add_mounts(item)
    entries = {"args": builder.arguments, "secrets": builder.secrets, "ssh": builder.agents, "cache": builder.caches}
    return outline | {key: list(values.values()) for key, values in entries.items() if values}


def _needed(case: CheckCase, stage: Stage) -> list[Stage]:
    """Return a stage and all stages that it needs, in the order of the file."""
    by_name = {other.name: other for other in case.stages if other.name}
    needed: dict[int, Stage] = {}
    pending = [stage]
    while pending:
        current = pending.pop()
        if current.index in needed:
            continue
        needed[current.index] = current
        names = [item.stage for item in current.instructions if isinstance(item, CopyInstruction)]
        for item in current.instructions:
            if isinstance(item, RunInstruction):
                names += [mount.stage for mount in item.mounts]
        base = case.base_of(current)
        pending += [by_name[name.lower()] for name in names if name.lower() in by_name] + ([base] if base else [])
    return [needed[index] for index in sorted(needed)]


def _used_globals(case: CheckCase, needed: list[Stage]) -> set[str]:
    """Return the names of global arguments that stages use, directly or by others' defaults."""
    used: set[str] = set()
    for stage in needed:
        used |= _names(stage.start.base) | _names(stage.start.platform)
        for item in stage.instructions:
            if isinstance(item, ArgInstruction):
                used |= {part.name for part in item.declarations if part.default is None}
    for item in reversed(case.dockerfile.global_arguments):
        for part in item.declarations:
            if part.name in used and part.default is not None:
                used |= _names(part.default)
    return used


def _names(text: str) -> set[str]:
    try:
        expansion = expand(text, {})
    except DockerfileError:
        return set()
    return set(expansion.matched | expansion.unmatched)


def location(span: LineSpan) -> dict[str, Any]:
    """Return lines as BuildKit's results have them."""
    return {"ranges": [{"start": {"line": span.start}, "end": {"line": span.end}}]}


def description_of(comments: tuple[str, ...], name: str) -> str:
    """Return the comment above a stage or argument that begins with its name, without the name."""
    if not name:
        return ""
    described = [comment for comment in comments if comment.lower().startswith(f"{name.lower()} ")]
    return described[-1][len(name) :].strip() if described else ""


def outline_text(document: dict[str, Any]) -> str:
    """Return an outline as text."""
    lines = []
    if "name" in document:
        lines.append(f"TARGET: {document['name']}")
    if "description" in document:
        lines.append(f"DESCRIPTION: {document['description']}")
    for title, key, columns in (
        ("BUILD ARG", "args", ("name", "value", "description")),
        ("SECRET", "secrets", ("name", "required")),
        ("SSH", "ssh", ("name", "required")),
    ):
        if document.get(key):
            lines += ["", f"{title:24} {' '.join(f'{column.upper():16}' for column in columns[1:])}".rstrip()]
            for item in document[key]:
                values = " ".join(f"{item.get(column, '')!s:16}" for column in columns[1:])
                lines.append(f"{item['name']:24} {values}".rstrip())
    return "\n".join(lines).strip() + "\n"
