"""Provenance of builds: the predicate of SLSA v0.2 (slsa.dev/provenance/v0.2) or v1, as BuildKit fills it.

The mode `min` leaves out what may be confidential: values of build arguments and labels, names of secrets and agents,
the graph and the Dockerfile. Values of secrets are in neither mode; the builder has them only while a step runs.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from google.protobuf.json_format import MessageToDict

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.exporters.attestation_options import SLSA_V1, ProvenanceOptions
from pyd_core.daemon.build.exporters.slsa_v1 import as_slsa_v1
from pyd_core.daemon.build.solver.graph import Graph, Vertex, read_graph
from pyd_core.daemon.build.solver.sources.image import platform_text
from pyd_core.daemon.images.attestations import package_url
from pyd_core.model.reference import parse

BUILD_TYPE = "https://mobyproject.org/buildkit@v1"
METADATA_KEY = f"{BUILD_TYPE}#metadata"
MAX_PROVENANCE_BYTES = 4 << 20
_CONFIDENTIAL = ("build-arg:", "label:")
_UNRECORDED = ("attest:", "vcs:", "cache-imports", "cache-from", "filename", "context", "local-sessionid:")
_OF_ONE_SESSION = ("local.session", "local.unique", "oci.session")
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_REVISION = re.compile(r"#([0-9a-f]{40}):")
_USERINFO = re.compile(r"(?<=://)[^/@\s]*@")


class BuildFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the build of one platform.

    Attributes:
        definition: Its graph; None for a result without one.
        identities: What its sources were, by vertex.
        platform: Its platform, `linux/amd64`.
        frontend: The front end; empty for none.
        attributes: The front end's attributes.
        build_id: The build's reference.
        started_ns: When the build began, in nanoseconds since 1970.
        finished_ns: When the result was complete.
    """

    definition: ops_pb2.Definition | None
    identities: Mapping[str, str]
    platform: str
    frontend: str
    attributes: Mapping[str, str]
    build_id: str
    started_ns: int
    finished_ns: int


def provenance(facts: BuildFacts, options: ProvenanceOptions) -> bytes:
    """Return the predicate as JSON."""
    graph = read_graph(facts.definition) if facts.definition is not None else None
    vertices = list(graph.vertices.values()) if graph is not None else []
    is_max = options.mode == "max"
    materials, is_complete = _materials(vertices, facts.identities)
    recorded = {
        key: redact(value) for key, value in sorted(facts.attributes.items()) if not key.startswith(_UNRECORDED)
    }
    shown = {key: value for key, value in recorded.items() if is_max or not key.startswith(_CONFIDENTIAL)}
    parameters: dict[str, Any] = {"frontend": facts.frontend, "args": shown}
    local_names = _local_names(vertices)
    if local_names:
        parameters["locals"] = [{"name": name} for name in local_names]
    if is_max:
        parameters |= _confidential(vertices)
    predicate: dict[str, Any] = {
        "builder": {"id": options.builder_id},
        "buildType": BUILD_TYPE,
        "materials": materials,
        "invocation": {
            "configSource": _config_source(facts),
            "parameters": parameters,
            "environment": {"platform": facts.platform},
        },
        "metadata": {
            "buildInvocationID": facts.build_id,
            "buildStartedOn": _time(facts.started_ns),
            "buildFinishedOn": _time(facts.finished_ns),
            "completeness": {
                "parameters": is_max or len(shown) == len(recorded),
                "environment": True,
                "materials": is_complete and not local_names,
            },
            "reproducible": options.is_reproducible,
            METADATA_KEY: _own_metadata(facts),
        },
    }
    if is_max and graph is not None and facts.definition is not None:
        names = {digest: f"step{number}" for number, digest in enumerate(graph.vertices)}
        predicate["buildConfig"] = _build_config(graph, names)
        predicate["metadata"][METADATA_KEY]["source"] = _source(facts.definition, names)
    if options.version == SLSA_V1:
        predicate = as_slsa_v1(predicate, predicate["metadata"][METADATA_KEY])
    return json.dumps(predicate).encode()


def redact(text: str) -> str:
    """Return a text with the user names and passwords of its URLs taken out."""
    return _USERINFO.sub("", text)


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat().replace("+00:00", "Z")


def _materials(vertices: Iterable[Vertex], identities: Mapping[str, str]) -> tuple[list[dict[str, Any]], bool]:
    """Return the sources besides local ones, and whether each has a digest."""
    materials: dict[str, dict[str, Any]] = {}
    is_complete = True
    for vertex in vertices:
        if vertex.op.WhichOneof("op") != "source":
            continue
        identifier = vertex.op.source.identifier
        scheme, _, rest = identifier.partition("://")
        identity = identities.get(vertex.digest, "")
        match scheme:
            case "docker-image" | "oci-layout":
                reference = parse(rest)
                kind = "docker" if scheme == "docker-image" else "oci"
                uri = package_url(kind, reference, platform_text(vertex.op.platform))
                match = _SHA256.fullmatch(reference.digest)
                digest = {"sha256": match[1]} if match else {}
            case "git":
                uri = redact(vertex.op.source.attrs.get("git.fullurl") or f"https://{rest}")
                uri += f"#{rest.partition('#')[2]}" if "#" in rest and "#" not in uri else ""
                match = _REVISION.search(identity)
                digest = {"sha1": match[1]} if match else {}
            case "http" | "https":
                uri = redact(identifier)
                match = _SHA256.search(identity)
                digest = {"sha256": match[1]} if match else {}
            case _:
                continue
        materials[uri] = {"uri": uri, **({"digest": digest} if digest else {})}
        is_complete = is_complete and bool(digest)
    return [materials[uri] for uri in sorted(materials)], is_complete


def _local_names(vertices: Iterable[Vertex]) -> list[str]:
    sources = (vertex.op.source.identifier for vertex in vertices if vertex.op.WhichOneof("op") == "source")
    return sorted({name.removeprefix("local://") for name in sources if name.startswith("local://")})


def _confidential(vertices: Iterable[Vertex]) -> dict[str, Any]:
    """Return the names of the secrets and agents that steps use."""
    secrets: dict[str, bool] = {}
    agents: dict[str, bool] = {}
    for vertex in vertices:
        if vertex.op.WhichOneof("op") != "exec":
            continue
        for item in vertex.op.exec.mounts:
            if item.mountType == ops_pb2.SECRET:
                secrets[item.secretOpt.ID] = secrets.get(item.secretOpt.ID, True) and item.secretOpt.optional
            elif item.mountType == ops_pb2.SSH:
                agents[item.SSHOpt.ID] = agents.get(item.SSHOpt.ID, True) and item.SSHOpt.optional
        for secret in vertex.op.exec.secretenv:
            secrets[secret.ID] = secrets.get(secret.ID, True) and secret.optional
    parameters: dict[str, Any] = {}
    for key, names in (("secrets", secrets), ("ssh", agents)):
        if names:
            parameters[key] = [
                {"id": name, **({"optional": True} if optional else {})} for name, optional in sorted(names.items())
            ]
    return parameters


def _config_source(facts: BuildFacts) -> dict[str, Any]:
    """Return where the Dockerfile came from."""
    source: dict[str, Any] = {}
    context = redact(facts.attributes.get("context", ""))
    if urlsplit(context).scheme in {"http", "https", "git", "ssh"}:
        source["uri"] = context
    filename = facts.attributes.get("filename", "")
    if filename or facts.frontend:
        source["entryPoint"] = filename or "Dockerfile"
    return source


def _own_metadata(facts: BuildFacts) -> dict[str, Any]:
    vcs = {
        key.removeprefix("vcs:"): redact(value)
        for key, value in sorted(facts.attributes.items())
        if key.startswith("vcs:") and key != "vcs:localdir"
    }
    return {"vcs": vcs} if vcs else {}


def _build_config(graph: Graph, names: Mapping[str, str]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    for vertex in graph.vertices.values():
        document = MessageToDict(vertex.op, preserving_proto_field_name=True)
        document.pop("inputs", None)
        for attribute in _OF_ONE_SESSION:
            document.get("source", {}).get("attrs", {}).pop(attribute, None)
        outer = {key: document.pop(key) for key in ("platform", "constraints") if key in document}
        step: dict[str, Any] = {"id": names[vertex.digest], "op": {"Op": _redacted(document), **outer}}
        if vertex.inputs:
            step["inputs"] = [f"{names[edge.digest]}:{edge.index}" for edge in vertex.inputs]
        steps.append(step)
    target = f"{names[graph.target.digest]}:{graph.target.index}"
    steps.append({"id": f"step{len(steps)}", "op": {"Op": None}, "inputs": [target]})
    return {"llbDefinition": steps, "digestMapping": dict(names)}


def _redacted(value: Any) -> Any:
    """Take credentials out of the URLs in a document; operations are flat, so the recursion is short."""
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return redact(value) if isinstance(value, str) else value


def _source(definition: ops_pb2.Definition, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the Dockerfile and the lines of the steps."""
    source = definition.Source
    return {
        "locations": {
            names[digest]: MessageToDict(locations, preserving_proto_field_name=True)
            for digest, locations in source.locations.items()
            if digest in names
        },
        "infos": [
            {
                "filename": info.filename,
                "language": info.language,
                "data": base64.b64encode(info.data).decode(),
            }
            for info in source.infos
        ],
    }
