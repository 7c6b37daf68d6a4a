"""Options of the front end, as clients send them in `FrontendAttrs`."""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Mapping

import msgspec

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.platforms import ImagePlatform, host_platform, parse_platform_text
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.booleans import BOOLS

DEFAULT_DOCKERFILE = "Dockerfile"
MAX_PLATFORMS = 50
"""Limit for a build."""
_MAX_NUMBER = (1 << 63) - 1
_RESOLVE_MODES = ("default", "pull", "local")
_NETWORKS = {"": ops_pb2.UNSET, "sandbox": ops_pb2.UNSET, "none": ops_pb2.NONE, "host": ops_pb2.HOST}


class FrontendOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a build."""

    filename: str = DEFAULT_DOCKERFILE
    target: str = ""
    build_args: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    named_contexts: Mapping[str, str] = {}
    """By name, `docker-image://…`, `oci-layout://…`, `local:…`, `input:…` or a URL."""
    target_platforms: tuple[ImagePlatform, ...] = ()
    """Empty means the engine's own."""
    build_platform: ImagePlatform = msgspec.field(default_factory=host_platform)
    is_multi_platform: bool = False
    no_cache_stages: tuple[str, ...] | None = None
    """Stages that don't use the cache; empty means all, None means none."""
    resolve_mode: str = "default"
    """`default`, `pull` or `local`."""
    network: ops_pb2.NetMode.ValueType = ops_pb2.UNSET
    extra_hosts: tuple[tuple[str, str], ...] = ()
    ulimits: tuple[tuple[str, int, int], ...] = ()
    shm_bytes: int = 0
    cgroup_parent: str = ""
    hostname: str = ""
    cache_namespace: str = ""
    """Prefix of the ids of cache mounts."""
    epoch_s: int | None = None
    """SOURCE_DATE_EPOCH: the time of everything that the build creates."""
    check_options: str | None = None
    """Options of the checks; None means those of the Dockerfile."""
    session: str = ""
    session_ids: Mapping[str, str] = {}
    """Sessions of local directories, by their names."""
    shared_keys: Mapping[str, str] = {}
    """Keys of local named contexts."""
    context_url: str = ""
    """The context if it is no directory of the client: a git or HTTP URL."""
    context_subdirectory: str = ""
    context_name: str = "context"
    """Name of the local directory with the context."""
    dockerfile_name: str = "dockerfile"
    """Name of the local directory with the Dockerfile."""
    is_dockerfile_local: bool = False
    """Whether the Dockerfile comes from the client although the context doesn't."""
    request: str = ""
    """Subrequest such as `frontend.lint`."""
    syntax: str = ""
    """Front end that the client requests instead of the Dockerfile's."""
    is_syntax_resolved: bool = False
    """Whether the client has followed the Dockerfile's `syntax` directive already."""
    keep_git_directory: bool = False


def parse_options(attributes: Mapping[str, str], *, session: str = "", build_platform: str = "") -> FrontendOptions:
    """Return the options in a client's attributes; unknown attributes are ignored, as in BuildKit.

    Args:
        attributes: `FrontendAttrs` of the request.
        session: Id of the client's session.
        build_platform: The engine's platform; empty means this machine's.

    Raises:
        InvalidInput: A value is malformed.
    """
    build_args = _prefixed(attributes, "build-arg:")
    platforms = tuple(parse_platform_text(text) for text in attributes.get("platform", "").split(",") if text)
    if len(platforms) > MAX_PLATFORMS:
        raise InvalidInput(f"a build can have {MAX_PLATFORMS} platforms")
    no_cache = attributes.get("no-cache")
    context_name = attributes.get("contextkey", "context")
    return FrontendOptions(
        filename=attributes.get("filename") or DEFAULT_DOCKERFILE,
        target=attributes.get("target", ""),
        build_args=build_args,
        labels=_prefixed(attributes, "label:"),
        named_contexts=_prefixed(attributes, "context:"),
        target_platforms=platforms,
        build_platform=parse_platform_text(build_platform) if build_platform else host_platform(),
        is_multi_platform=_is_multi_platform(attributes, len(platforms)),
        no_cache_stages=None if no_cache is None else tuple(name for name in no_cache.split(",") if name),
        resolve_mode=_choice("image-resolve-mode", attributes.get("image-resolve-mode") or "default"),
        network=_network(attributes.get("force-network-mode", "")),
        extra_hosts=_extra_hosts(attributes.get("add-hosts", "")),
        ulimits=tuple(_ulimit(text) for text in _fields("ulimit", attributes.get("ulimit", ""))),
        shm_bytes=_number("shm-size", attributes.get("shm-size", "")),
        cgroup_parent=attributes.get("cgroup-parent", ""),
        hostname=build_args.get("BUILDKIT_SANDBOX_HOSTNAME") or attributes.get("hostname", ""),
        cache_namespace=build_args.get("BUILDKIT_CACHE_MOUNT_NS", ""),
        epoch_s=_epoch(build_args.get("SOURCE_DATE_EPOCH", "")),
        check_options=build_args.get("BUILDKIT_DOCKERFILE_CHECK"),
        session=session,
        session_ids=_prefixed(attributes, "local-sessionid:"),
        shared_keys=_prefixed(attributes, "sharedkey:localdir:"),
        context_url=attributes.get(context_name, ""),
        context_subdirectory=attributes.get("contextsubdir", ""),
        context_name="context",
        dockerfile_name=attributes.get("dockerfilekey", "dockerfile"),
        is_dockerfile_local="dockerfilekey" in attributes,
        request=attributes.get("requestid", ""),
        syntax=build_args.get("BUILDKIT_SYNTAX", ""),
        is_syntax_resolved="cmdline" in attributes,
        keep_git_directory=BOOLS.get(build_args.get("BUILDKIT_CONTEXT_KEEP_GIT_DIR", ""), False),
    )


def _prefixed(attributes: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name[len(prefix) :]: value for name, value in sorted(attributes.items()) if name.startswith(prefix)}


def _is_multi_platform(attributes: Mapping[str, str], count: int) -> bool:
    text = attributes.get("build-arg:BUILDKIT_MULTI_PLATFORM") or attributes.get("multi-platform", "")
    if not text:
        return count > 1
    if text not in BOOLS:
        raise InvalidInput(f"invalid boolean value for multi-platform: {text[:60]}")
    if not BOOLS[text] and count > 1:
        raise InvalidInput("conflicting config: returning multiple target platforms is not allowed")
    return BOOLS[text]


def _choice(name: str, value: str) -> str:
    if value not in _RESOLVE_MODES:
        raise InvalidInput(f"invalid {name}: {value[:60]}", hint=", ".join(_RESOLVE_MODES))
    return value


def _network(value: str) -> ops_pb2.NetMode.ValueType:
    if value not in _NETWORKS:
        raise InvalidInput(f"invalid netmode {value[:60]}", hint="sandbox, host or none")
    return _NETWORKS[value]


def _fields(name: str, text: str) -> list[str]:
    if not text:
        return []
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise InvalidInput(f"failed to parse {name}: {error}") from None


def _extra_hosts(text: str) -> tuple[tuple[str, str], ...]:
    hosts = []
    for field in _fields("additional hosts", text):
        name, equals, address = field.lower().partition("=")
        if not equals or not name:
            raise InvalidInput(f"failed to parse additional hosts: invalid key-value pair {field[:80]}")
        try:
            hosts.append((name, str(ipaddress.ip_address(address))))
        except ValueError:
            raise InvalidInput(f"failed to parse additional hosts: failed to parse IP {address[:60]}") from None
    return tuple(hosts)


def _ulimit(text: str) -> tuple[str, int, int]:
    name, equals, limits = text.partition("=")
    soft, colon, hard = limits.partition(":")
    if not name or not equals:
        raise InvalidInput(f"failed to parse ulimit: {text[:60]!r} is not NAME=SOFT[:HARD]")
    low = -1 if soft == "-1" else _number("ulimit", soft, is_required=True)
    high = low if not colon else -1 if hard == "-1" else _number("ulimit", hard, is_required=True)
    if high != -1 and (low > high or low == -1):
        raise InvalidInput(f"failed to parse ulimit: the soft limit of {name[:40]} is above the hard limit")
    return name, low, high


def _number(name: str, text: str, *, is_required: bool = False) -> int:
    if not text and not is_required:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > 19 or int(text) > _MAX_NUMBER:
        raise InvalidInput(f"failed to parse {name}: {text[:60]!r} is not a number")
    return int(text)


def _epoch(text: str) -> int | None:
    if not text or text == "context":
        return None
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 12:
        raise InvalidInput(f"invalid SOURCE_DATE_EPOCH: {text[:60]}", hint="seconds since 1970")
    return int(text)
