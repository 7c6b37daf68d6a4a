"""Targets to build: groups resolved, inheritance and overrides applied."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from pyd_core.buildkit.bake.bake_file import BakeFile
from pyd_core.buildkit.client.definition import BuildDefinition
from pyd_core.errors import InvalidInput, NotFound, Unsupported
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.sanitise import safe

DEFAULT = "default"
TARGET_PREFIX = "target:"
MAX_DEPTH = 100
_MAPPINGS = frozenset({"args", "labels", "contexts"})
_LISTS = frozenset(
    {
        *("tags", "platforms", "no-cache-filter", "cache-from", "cache-to", "secret", "ssh", "output", "attest"),
        *("ulimits", "extra-hosts", "annotations", "entitlements", "inherits"),
    }
)
_TEXTS = frozenset({"context", "dockerfile", "dockerfile-inline", "target", "network", "shm-size", "description"})
_SWITCHES = frozenset({"no-cache", "pull"})


class BakeTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A target with its build.

    Attributes:
        name: Its name.
        definition: The build.
        needs: Targets that its contexts name.
    """

    name: str
    definition: BuildDefinition
    needs: tuple[str, ...] = ()


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A value of `--set`: targets by pattern, an attribute, for mappings a key, and the value."""

    pattern: str
    attribute: str
    key: str
    value: str


def parse_override(text: str) -> Override:
    """Read `TARGET.ATTRIBUTE=VALUE` or `TARGET.args.NAME=VALUE`.

    Raises:
        InvalidInput: It can't be read.
    """
    path, equals, value = text.partition("=")
    pattern, dot, attribute = path.partition(".")
    attribute, _, key = attribute.partition(".")
    known = attribute in _MAPPINGS | _LISTS | _TEXTS | _SWITCHES
    if not equals or not dot or not known or (attribute in _MAPPINGS) != bool(key):
        raise InvalidInput(
            f"--set {safe(text)} can't be read", hint="write TARGET.ATTRIBUTE=VALUE or TARGET.args.NAME=VALUE"
        )
    return Override(pattern=pattern, attribute=attribute, key=key, value=value)


def choose_targets(file: BakeFile, names: Sequence[str], overrides: Sequence[Override] = ()) -> list[BakeTarget]:
    """Return the targets to build, each after those that it needs.

    Args:
        file: The bake files.
        names: Targets and groups; none means the group `default`, or all targets without one.
        overrides: Values of `--set`.

    Raises:
        NotFound: A name is neither a target nor a group.
        InvalidInput: Targets need each other in a circle, or an attribute can't be read.
    """
    ordered: dict[str, BakeTarget] = {}
    for name in names or [DEFAULT]:
        for target in _expand(file, name, ()):
            _add(file, target, overrides, ordered, ())
    return list(ordered.values())


def _expand(file: BakeFile, name: str, path: tuple[str, ...]) -> list[str]:
    if name in path or len(path) > MAX_DEPTH:
        raise InvalidInput(f"the groups {' → '.join(safe(item) for item in (*path, name))} contain each other")
    if name in file.groups:
        return [target for member in file.groups[name] for target in _expand(file, member, (*path, name))]
    if name in file.targets:
        return [name]
    if name == DEFAULT and not path:
        return list(file.targets)
    from difflib import get_close_matches  # noqa: PLC0415 - for a wrong name only

    nearest = get_close_matches(name, [*file.targets, *file.groups], n=3)
    raise NotFound(
        f"no such target: {safe(name)}", nearest=[safe(item) for item in nearest], reference="no-such-target"
    )


def _add(
    file: BakeFile, name: str, overrides: Sequence[Override], ordered: dict[str, BakeTarget], path: tuple[str, ...]
) -> None:
    if name in ordered:
        return
    if name in path:
        raise InvalidInput(f"the targets {' → '.join(safe(item) for item in (*path, name))} need each other")
    attributes = _attributes(file, name, ())
    for override in overrides:
        if fnmatchcase(name, override.pattern):
            attributes = _overridden(attributes, override)
    contexts = {key: str(value) for key, value in attributes.get("contexts", {}).items()}
    needs = [value.removeprefix(TARGET_PREFIX) for value in contexts.values() if value.startswith(TARGET_PREFIX)]
    for need in needs:
        if need not in file.targets:
            raise NotFound(f"target {safe(name)} needs {safe(need)}, which doesn't exist", reference="no-such-target")
        _add(file, need, overrides, ordered, (*path, name))
    ordered[name] = BakeTarget(name=name, definition=_definition(name, attributes), needs=tuple(needs))


def _attributes(file: BakeFile, name: str, path: tuple[str, ...]) -> dict[str, Any]:
    """Return a target's attributes with those that it inherits."""
    if name in path:
        raise InvalidInput(f"the targets {' → '.join(safe(item) for item in (*path, name))} inherit from each other")
    if name not in file.targets:
        raise NotFound(f"no such target: {safe(name)}", reference="no-such-target")
    own = dict(file.targets[name])
    merged: dict[str, Any] = {}
    parents = own.pop("inherits", [])
    for parent in parents if isinstance(parents, list) else [parents]:
        merged = _merged(merged, _attributes(file, str(parent), (*path, name)))
    return _merged(merged, own)


def _merged(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**base, **{key: value for key, value in override.items() if value is not None}}
    for key in _MAPPINGS & base.keys() & override.keys():
        merged[key] = {**base[key], **override[key]}
    return merged


def _overridden(attributes: dict[str, Any], override: Override) -> dict[str, Any]:
    if override.attribute in _MAPPINGS:
        value: Any = {**attributes.get(override.attribute, {}), override.key: override.value}
    elif override.attribute in _LISTS:
        value = [override.value] if override.value else []
    elif override.attribute in _SWITCHES:
        value = override.value.lower() in {"", "1", "true"}
    else:
        value = override.value
    return {**attributes, override.attribute: value}


def _definition(name: str, attributes: Mapping[str, Any]) -> BuildDefinition:
    unknown = attributes.keys() - _MAPPINGS - _LISTS - _TEXTS - _SWITCHES
    if unknown:
        raise Unsupported(
            f"target {safe(name)}: {safe(', '.join(sorted(unknown)))} isn't supported", reference="bake-attribute"
        )
    text = {key: str(attributes.get(key) or "") for key in _TEXTS}
    arguments = {
        key: os.environ.get(key) if value is None else str(value) for key, value in attributes.get("args", {}).items()
    }
    context = text["context"] or "."
    dockerfile = text["dockerfile"]
    if dockerfile and "://" not in context:
        # relative to the context, unlike `build -f`
        dockerfile = os.path.join(context, dockerfile)  # noqa: PTH118 - either may be absolute
    lists = {key: _texts(name, key, attributes.get(key)) for key in _LISTS}
    return BuildDefinition(
        context=context,
        dockerfile=dockerfile,
        dockerfile_text=text["dockerfile-inline"] or None,
        tags=lists["tags"],
        arguments={key: value for key, value in arguments.items() if value is not None},
        labels={key: str(value or "") for key, value in attributes.get("labels", {}).items()},
        annotations=lists["annotations"],
        target=text["target"],
        platforms=lists["platforms"],
        no_cache=bool(attributes.get("no-cache")),
        no_cache_filter=lists["no-cache-filter"],
        pull=bool(attributes.get("pull")),
        network=text["network"],
        extra_hosts=lists["extra-hosts"],
        shm_size=parse_size(text["shm-size"]) if text["shm-size"] else 0,
        ulimits=lists["ulimits"],
        contexts={key: str(value) for key, value in attributes.get("contexts", {}).items()},
        cache_from=lists["cache-from"],
        cache_to=lists["cache-to"],
        secrets=lists["secret"],
        ssh=lists["ssh"],
        outputs=lists["output"],
        attestations=_attestations(lists["attest"]),
        allow=lists["entitlements"],
    )


def _texts(name: str, key: str, value: Any) -> tuple[str, ...]:
    """Return a list's items; bake files also write outputs, caches and secrets as mappings."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise InvalidInput(f"target {safe(name)}: {key} isn't a list")
    return tuple(
        ",".join(f"{field}={text}" for field, text in item.items()) if isinstance(item, dict) else str(item)
        for item in value
    )


def _attestations(texts: Sequence[str]) -> dict[str, str]:
    attestations: dict[str, str] = {}
    for text in texts:
        fields: dict[str, str] = {}
        for field in text.split(","):
            key, _, value = field.partition("=")
            fields[key] = value
        kind = fields.pop("type", "")
        if kind and fields.pop("disabled", "false") != "true":
            attestations[kind] = ",".join(f"{key}={value}" for key, value in fields.items())
    return attestations


def bake_document(targets: Sequence[BakeTarget]) -> dict[str, Any]:
    """Return targets as a bake file; what isn't set is left out."""
    return {
        "group": {DEFAULT: {"targets": [target.name for target in targets]}},
        "target": {target.name: _document(target.definition) for target in targets},
    }


def _document(definition: BuildDefinition) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "context": definition.context,
        "dockerfile": os.path.relpath(definition.dockerfile, definition.context) if definition.dockerfile else "",
        "dockerfile-inline": definition.dockerfile_text or "",
        "args": dict(definition.arguments),
        "labels": dict(definition.labels),
        "contexts": dict(definition.contexts),
        "annotations": definition.annotations,
        "tags": definition.tags,
        "target": definition.target,
        "platforms": definition.platforms,
        "no-cache": definition.no_cache,
        "no-cache-filter": definition.no_cache_filter,
        "pull": definition.pull,
        "network": "" if definition.network == "default" else definition.network,
        "extra-hosts": definition.extra_hosts,
        "shm-size": str(definition.shm_size or ""),
        "ulimits": definition.ulimits,
        "cache-from": definition.cache_from,
        "cache-to": definition.cache_to,
        "secret": definition.secrets,
        "ssh": definition.ssh,
        "output": definition.outputs,
        "attest": [f"type={kind}" + (f",{text}" if text else "") for kind, text in definition.attestations.items()],
        "entitlements": definition.allow,
    }
    return {name: value for name, value in attributes.items() if value}
