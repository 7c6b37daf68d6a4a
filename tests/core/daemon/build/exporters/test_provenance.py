"""Provenance: its sources, and what the mode `min` keeps back."""

from __future__ import annotations

import base64
import json
from typing import Any

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.exporters.attestation_options import ProvenanceOptions
from pyd_core.daemon.build.exporters.provenance import BuildFacts, provenance
from support.llb import Llb

BASE = "docker-image://docker.io/library/debian:13@sha256:" + "a" * 64
COMMIT = "c0ffee" + "0" * 34


def _predicate(mode: str = "min", version: str = "v0.2", **changes: Any) -> dict[str, Any]:
    llb = Llb()
    base = llb.source(BASE)
    context = llb.source("local://context", local_session="of-one-session")
    cloned = llb.source("git://user:pass@host/app.git#main", git_fullurl="https://user:pass@host/app.git")
    page = llb.source("https://user:pass@host/file")
    step = ops_pb2.Op(exec=ops_pb2.ExecOp(meta=ops_pb2.Meta(args=["curl", "https://user:pass@host/x"], cwd="/")))
    step.exec.mounts.add(dest="/", input=0, output=0)
    step.exec.mounts.add(dest="/run/s", input=-1, output=-1, mountType=ops_pb2.SECRET).secretOpt.ID = "token"
    step.exec.mounts.add(dest="/run/a", input=-1, output=-1, mountType=ops_pb2.SSH).SSHOpt.ID = "default"
    for digest in (base, context, cloned, page):
        step.inputs.add(digest=digest)
    last = llb.add(step)
    definition = llb.end(last)
    definition.Source.infos.add(filename="Dockerfile", data=b"FROM debian:13\n", language="Dockerfile")
    definition.Source.locations[last].locations.add(sourceIndex=0)
    fields: dict[str, Any] = {
        "definition": definition,
        "identities": {cloned: f"git:u#{COMMIT}::False", page: f"http:sha256:{'b' * 64}:file:0"},
        "platform": "linux/amd64",
        "frontend": "dockerfile.v0",
        "attributes": {"build-arg:KEY": "hidden", "label:a": "b", "target": "app", "attest:provenance": ""},
        "build_id": "one",
        "started_ns": 1_700_000_000_000_000_000,
        "finished_ns": 1_700_000_001_000_000_000,
    }
    document: dict[str, Any] = json.loads(
        provenance(
            BuildFacts(**(fields | changes)), ProvenanceOptions(mode=mode, builder_id="https://ci", version=version)
        )
    )
    return document


def test_the_sources_are_named_with_their_digests_and_without_passwords() -> None:
    predicate = _predicate()
    assert predicate["materials"] == [
        {"uri": "https://host/app.git#main", "digest": {"sha1": COMMIT}},
        {"uri": "https://host/file", "digest": {"sha256": "b" * 64}},
        {"uri": "pkg:docker/debian@13", "digest": {"sha256": "a" * 64}},
    ]
    assert predicate["builder"] == {"id": "https://ci"}
    assert predicate["metadata"]["buildStartedOn"] == "2023-11-14T22:13:20Z"


def test_the_short_form_keeps_arguments_secrets_and_the_graph_back() -> None:
    predicate = _predicate()
    assert predicate["invocation"]["parameters"] == {
        "frontend": "dockerfile.v0",
        "args": {"target": "app"},
        "locals": [{"name": "context"}],
    }
    assert "buildConfig" not in predicate
    completeness = predicate["metadata"]["completeness"]
    assert completeness == {"parameters": False, "environment": True, "materials": False}


def test_the_long_form_has_arguments_names_of_secrets_the_graph_and_the_dockerfile() -> None:
    predicate = _predicate("max")
    parameters = predicate["invocation"]["parameters"]
    assert parameters["args"] == {"build-arg:KEY": "hidden", "label:a": "b", "target": "app"}
    assert parameters["secrets"] == [{"id": "token"}]
    assert parameters["ssh"] == [{"id": "default"}]
    steps = predicate["buildConfig"]["llbDefinition"]
    assert [step["id"] for step in steps] == [f"step{number}" for number in range(6)]
    assert steps[4]["op"]["Op"]["exec"]["meta"]["args"] == ["curl", "https://host/x"]
    assert len(steps[4]["inputs"]) == 4
    assert steps[5] == {"id": "step5", "op": {"Op": None}, "inputs": ["step4:0"]}
    own = predicate["metadata"]["https://mobyproject.org/buildkit@v1#metadata"]["source"]
    assert base64.b64decode(own["infos"][0]["data"]) == b"FROM debian:13\n"
    assert list(own["locations"]) == ["step4"]
    text = json.dumps(predicate)
    assert "of-one-session" not in text
    assert "pass@" not in text


def test_a_result_without_a_graph_has_no_sources() -> None:
    predicate = _predicate("max", definition=None)
    assert predicate["materials"] == []
    assert "buildConfig" not in predicate


def test_version_1_has_the_same_facts_in_its_own_layout() -> None:
    older, newer = _predicate("max"), _predicate("max", "v1")
    assert set(newer) == {"buildDefinition", "runDetails"}
    definition, run = newer["buildDefinition"], newer["runDetails"]
    assert definition["buildType"].endswith("/docs/attestations/slsa-definitions.md")
    assert definition["externalParameters"] == {
        "configSource": {"path": "Dockerfile"},
        "request": older["invocation"]["parameters"],
    }
    assert definition["internalParameters"] == {
        "builderPlatform": "linux/amd64",
        "buildConfig": older["buildConfig"],
    }
    assert definition["resolvedDependencies"] == older["materials"]
    assert run["builder"] == {"id": "https://ci"}
    own = older["metadata"]["https://mobyproject.org/buildkit@v1#metadata"]
    assert run["metadata"] == {
        "invocationId": "one",
        "startedOn": "2023-11-14T22:13:20Z",
        "finishedOn": "2023-11-14T22:13:21Z",
        "buildkit_metadata": own,
        "buildkit_completeness": {"request": True, "resolvedDependencies": False},
    }


def test_version_1_in_its_short_form_keeps_the_same_back() -> None:
    predicate = _predicate("min", "v1")
    assert "hidden" not in json.dumps(predicate)
    assert predicate["buildDefinition"]["internalParameters"] == {"builderPlatform": "linux/amd64"}
    assert predicate["runDetails"]["metadata"]["buildkit_metadata"] == {}
