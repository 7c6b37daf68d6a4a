"""Builds as described, turned into requests."""

from __future__ import annotations

import io
import socket
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pyd_core.buildkit.client.definition import BuildDefinition
from pyd_core.buildkit.client.prepare import PreparedBuild
from pyd_core.buildkit.client.request import CONTEXT, DOCKERFILE, BuildRequest
from pyd_core.errors import InvalidInput, NotFound, PydError, Unsupported


def prepared(
    definition: BuildDefinition, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> BuildRequest:
    with PreparedBuild(definition, stdin=lambda: io.BytesIO(stdin), environment=environment or {}) as build:
        return build.request


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/dev.Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def test_options_become_attributes_of_the_front_end(context: Path):
    request = prepared(
        BuildDefinition(
            context=str(context), tags=("app", "registry.example/app:2"), arguments={"A": "1"}, labels={"l": "v"},
            target="final", platforms=("linux/amd64", "linux/arm64"), no_cache_filter=("one", "two"), pull=True,
            network="host", extra_hosts=("db:10.0.0.1", "v6=[::1]"), shm_size=1024, ulimits=("nofile=10:20",),
            attestations={"provenance": "mode=max"}, contexts={"base": "docker-image://alpine"},
        ),
        environment={"SOURCE_DATE_EPOCH": "5", "OTHER": "x"},
    )  # fmt: skip
    assert request.attributes == {
        "filename": "Dockerfile", "build-arg:A": "1", "build-arg:SOURCE_DATE_EPOCH": "5", "label:l": "v",
        "target": "final", "platform": "linux/amd64,linux/arm64", "no-cache": "one,two", "image-resolve-mode": "pull",
        "force-network-mode": "host", "add-hosts": "db=10.0.0.1,v6=::1", "shm-size": "1024", "ulimit": "nofile=10:20",
        "attest:provenance": "mode=max", "context:base": "docker-image://alpine",
    }  # fmt: skip
    assert request.entitlements == ("network.host",)
    [output] = request.outputs
    assert output.type == "moby"
    assert output.attributes == {"name": "docker.io/library/app:latest,registry.example/app:2"}


def test_the_dockerfile_is_looked_for_in_the_working_directory_then_in_the_context(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir("/")
    request = prepared(BuildDefinition(context=str(context), dockerfile="docker/dev.Dockerfile"))
    assert request.directories[DOCKERFILE] == context / "docker"
    assert request.attributes["filename"] == "dev.Dockerfile"
    (tmp_path / "Dockerfile").rename(tmp_path / "dockerfile.old")
    with pytest.raises(NotFound) as missing:
        prepared(BuildDefinition(context=str(context)))
    assert missing.value.reference == "no-such-dockerfile"
    assert missing.value.nearest == ("dockerfile.old",)


def test_a_dockerfile_from_standard_input_is_built_without_a_context():
    with PreparedBuild(BuildDefinition(context="-"), stdin=lambda: io.BytesIO(b"FROM x\n"), environment={}) as build:
        directories = build.request.directories
        assert (directories[DOCKERFILE] / "Dockerfile").read_bytes() == b"FROM x\n"
        assert [*directories[CONTEXT].iterdir()] == []
    assert not directories[DOCKERFILE].exists()
    assert not directories[CONTEXT].exists()


def test_an_archive_from_standard_input_is_uploaded():
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("Dockerfile"))
    request = prepared(BuildDefinition(context="-", dockerfile="other"), stdin=archive.getvalue())
    assert request.attributes["context"].startswith("http://buildkit-session/")
    assert request.attributes["filename"] == "other"
    assert not request.directories


@pytest.mark.parametrize(
    ("fields", "error", "reference"),
    [
        ({"context": "/nonexistent"}, NotFound, "no-such-directory"),
        ({"dockerfile": "-", "dockerfile_text": " \n"}, InvalidInput, "invalid-input"),
        ({"network": "mynet"}, Unsupported, "build-network"),
        ({"extra_hosts": ("db",)}, InvalidInput, "invalid-input"),
        ({"extra_hosts": ("db:host-gateway",)}, InvalidInput, "invalid-input"),
        ({"secrets": ("id=x,src=/nonexistent",)}, NotFound, "not-found"),
        ({"secrets": ("id=x,env=UNSET",)}, NotFound, "not-found"),
        ({"secrets": ("src",)}, InvalidInput, "invalid-input"),
        ({"ssh": ("default",)}, NotFound, "not-found"),
        ({"ssh": ("key=/etc/hostname",)}, InvalidInput, "invalid-input"),
        ({"outputs": ("type=nothing",)}, InvalidInput, "invalid-input"),
        ({"outputs": ("type=local",)}, InvalidInput, "invalid-input"),
        ({"outputs": ("-", "type=oci,dest=-")}, InvalidInput, "invalid-input"),
        ({"outputs": ("type=tar,dest=/tmp",)}, InvalidInput, "invalid-input"),
        ({"push": True}, InvalidInput, "invalid-input"),
        ({"tags": ("UPPER",)}, InvalidInput, "invalid-input"),
        ({"cache_from": ("type=local",)}, InvalidInput, "invalid-input"),
        ({"cache_to": ("type=local,src=x",)}, InvalidInput, "invalid-input"),
        ({"outputs": ("type=oci-layout",)}, InvalidInput, "invalid-input"),
        ({"outputs": ("type=oci,tar=false,dest=-",)}, InvalidInput, "invalid-input"),
        ({"outputs": ("type=oci-layout,dest=a", "type=oci-layout,dest=b")}, InvalidInput, "invalid-input"),
        ({"cache_from": ("type=registry",)}, InvalidInput, "invalid-input"),
        ({"contexts": {"a": "oci-layout:///x"}}, NotFound, "no-such-layout"),
        ({"contexts": {"context": "/tmp"}}, InvalidInput, "invalid-input"),
        ({"ulimits": ("x=1",)}, InvalidInput, "invalid-input"),
        ({"annotations": ("x",)}, InvalidInput, "invalid-input"),
    ],
)
def test_what_cannot_be_built_is_refused_first(
    fields: dict[str, Any], error: type[PydError], reference: str, context: Path
):
    with pytest.raises(error) as refused:
        prepared(BuildDefinition(**{"context": str(context), **fields}))
    assert refused.value.reference == reference


def test_outputs_keep_the_image_only_if_that_is_meant(context: Path, tmp_path: Path):
    def types(**fields: object) -> list[str]:
        definition = BuildDefinition(context=str(context), tags=("app",), **fields)  # type: ignore[arg-type]
        return [output.type for output in prepared(definition).outputs]

    assert types() == ["moby"]
    assert types(outputs=(str(tmp_path / "out"),)) == ["local"]
    assert types(outputs=("-",)) == ["tar"]
    assert types(outputs=("type=cacheonly",)) == []
    assert types(outputs=("-",), load=True) == ["tar", "moby"]
    assert types(outputs=("type=docker",)) == ["moby"]
    assert types(outputs=("type=docker,dest=a.tar",)) == ["docker"]
    assert types(outputs=("type=registry,name=r.example/x",)) == ["moby"]


def test_secrets_and_agents_are_found(context: Path, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("x")
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        request = prepared(
            BuildDefinition(
                context=str(context), ssh=("default", f"other={tmp_path / 'agent'}"),
                secrets=(f"id=file,src={token}", "id=VAR", "id=renamed,env=VAR", f"src={token}"),
            ),
            environment={"VAR": "v", "SSH_AUTH_SOCK": str(tmp_path / "agent")},
        )  # fmt: skip
    assert set(request.agents) == {"default", "other"}
    assert {name: source.variable for name, source in request.secrets.items()} == {
        "file": None, "VAR": "VAR", "renamed": "VAR", "token": None,
    }  # fmt: skip
