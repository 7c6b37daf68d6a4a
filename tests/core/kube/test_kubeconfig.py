from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from pyd_core.errors import ConfigError, NoEngine, NotFound
from pyd_core.kube.address import ClusterAddress
from pyd_core.kube.kubeconfig import Kubeconfig, choose_access


def write(path: Path, **document: object) -> Path:
    path.write_text(yaml.safe_dump(document))
    return path


def named(kind: str, name: str, **fields: object) -> dict[str, object]:
    return {"name": name, kind: fields}


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write(
        tmp_path / "first",
        clusters=[named("cluster", "c", server="https://one:6443")],
        users=[named("user", "u", token="secret-1")],
        contexts=[named("context", "a", cluster="c", user="u", namespace="web")],
    )


def test_the_first_definition_of_a_name_counts_and_files_are_merged(first: Path, tmp_path: Path):
    second = write(
        tmp_path / "second",
        clusters=[named("cluster", "c", server="https://two:6443")],
        contexts=[named("context", "b", cluster="c", user="u")],
        **{"current-context": "b"},
    )
    environ = {"KUBECONFIG": f"{first}:{tmp_path / 'missing'}:{second}"}
    access = choose_access("kube://", environ)
    assert (access.context, access.namespace, access.settings.server) == ("b", "default", "https://one:6443")
    assert choose_access("kube://a", environ).namespace == "web"
    assert choose_access("kube://a/other", environ).namespace == "other"
    assert choose_access("kube://a/*", environ).scope == ""


def test_a_context_with_slashes_in_its_name_is_found_with_and_without_a_namespace(tmp_path: Path):
    name = "arn:aws:eks:eu-1:123:cluster/prod"
    file = write(
        tmp_path / "config",
        clusters=[named("cluster", "c", server="https://one")],
        contexts=[named("context", name, cluster="c")],
    )
    environ = {"KUBECONFIG": str(file)}
    assert choose_access(f"kube://{name}", environ).context == name
    assert choose_access(f"kube://{name}/ns", environ).namespace == "ns"


def test_certificates_come_from_base64_or_from_files_beside_the_kubeconfig(tmp_path: Path):
    (tmp_path / "key.pem").write_bytes(b"KEY")
    file = write(
        tmp_path / "config",
        clusters=[
            named(
                "cluster", "c", server="https://one", **{"certificate-authority-data": base64.b64encode(b"CA").decode()}
            )
        ],
        users=[
            named("user", "u", **{"client-key": "key.pem", "client-certificate-data": base64.b64encode(b"C").decode()})
        ],
        contexts=[named("context", "a", cluster="c", user="u")],
    )
    settings = choose_access("kube://a", {"KUBECONFIG": str(file)}).settings
    assert (settings.ca, settings.certificate, settings.key) == (b"CA", b"C", b"KEY")


def test_a_plugin_beside_the_kubeconfig_is_named_by_its_full_path(tmp_path: Path):
    file = write(
        tmp_path / "config",
        clusters=[named("cluster", "c", server="https://one")],
        users=[named("user", "u", exec={"command": "./login", "args": None, "env": [{"name": "A", "value": "b"}]})],
        contexts=[named("context", "a", cluster="c", user="u")],
    )
    plugin = choose_access("kube://a", {"KUBECONFIG": str(file)}).settings.plugin
    assert plugin is not None
    assert plugin.command == str(tmp_path / "login")
    assert plugin.environment == {"A": "b"}


def test_an_unknown_context_is_reported_with_the_known_ones(first: Path):
    with pytest.raises(NotFound, match="nowhere") as caught:
        choose_access("kube://nowhere", {"KUBECONFIG": str(first)})
    assert "a" in caught.value.hint


def test_without_a_current_context_none_is_guessed(first: Path):
    with pytest.raises(NoEngine, match="no current context"):
        choose_access("kube://", {"KUBECONFIG": str(first)})


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2", "clusters: 5", "\x00", "contexts: [{name: {a: b}}]"])
def test_a_broken_file_is_reported_with_its_path(tmp_path: Path, text: str):
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(ConfigError, match=str(file)):
        choose_access("kube://", {"KUBECONFIG": str(file)})


def test_within_a_pod_its_own_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, text in (("token", "tok"), ("ca.crt", "CA"), ("namespace", "mine\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("pyd_core.kube.kubeconfig.SERVICE_ACCOUNT", tmp_path)
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    access = choose_access("kube://", environ)
    assert access.namespace == "mine"
    assert access.settings.server == "https://[fd00::1]:443"
    assert access.settings.token_file == tmp_path / "token"


def test_secrets_are_not_in_the_representation_of_an_access(first: Path):
    config = Kubeconfig()
    config.add(first)
    assert "secret-1" not in repr(config.access(ClusterAddress(context="a")))
