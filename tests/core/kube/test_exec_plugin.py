from __future__ import annotations

import json
import os
import select
from pathlib import Path

import pytest

from pyd_core.errors import PydError, Refused
from pyd_core.kube.access import AccessSettings, ClusterAccess, ExecPlugin
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.exec_plugin import run_plugin
from support.kube.server import ScriptedCluster


def plugin(directory: Path, script: str) -> ExecPlugin:
    path = directory / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return ExecPlugin(command=str(path), api_version="client.authentication.k8s.io/v1")


def answer(token: str) -> str:
    return json.dumps({"kind": "ExecCredential", "status": {"token": token}})


def has_ended(pid: int) -> bool:
    """Wait for the end of a process that isn't this one's child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 60)[0])
    finally:
        os.close(descriptor)


async def run(plugin: ExecPlugin) -> str:
    return (await run_plugin(plugin, AccessSettings(server="https://c"), may_ask=False)).token


async def test_a_plugin_s_token_is_taken_and_not_shown(tmp_path: Path):
    credential = await run_plugin(
        plugin(tmp_path, f"echo '{answer('tok-1')}'"), AccessSettings(server="https://c"), may_ask=False
    )
    assert credential.token == "tok-1"  # noqa: S105 - opens nothing
    assert "tok-1" not in repr(credential)


async def test_a_plugin_that_fails_is_reported_with_its_last_line(tmp_path: Path):
    with pytest.raises(Refused, match="session expired") as caught:
        await run(plugin(tmp_path, r"printf 'noise\n\033[2Jsession expired\n' >&2; exit 3"))
    assert "\x1b" not in caught.value.message


async def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_core.kube.exec_plugin.TIMEOUT_S", 0.5)
    with pytest.raises(Refused, match="did not end"):
        await run(plugin(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child; wait"))
    assert has_ended(int((tmp_path / "child").read_text()))


async def test_a_plugin_that_is_not_there_gives_its_install_hint(tmp_path: Path):
    missing = ExecPlugin(command=str(tmp_path / "none"), install_hint="install it\nfrom here")
    with pytest.raises(Refused) as caught:
        await run(missing)
    assert caught.value.hint == "install it from here"


@pytest.mark.parametrize("output", ["", "no json", "[]", "{}", '{"kind": "ExecCredential", "status": {}}'])
async def test_output_without_credentials_is_refused(tmp_path: Path, output: str):
    with pytest.raises(PydError, match="credential plugin"):
        await run(plugin(tmp_path, f"echo '{output}'"))


async def test_an_endless_output_does_not_fill_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_core.kube.exec_plugin.MAX_OUTPUT_BYTES", 1000)
    with pytest.raises(PydError):
        await run(plugin(tmp_path, "head -c 1000000 /dev/zero"))


async def test_a_plugin_that_must_ask_is_refused_without_a_terminal(tmp_path: Path):
    asking = ExecPlugin(command="true", interactive_mode="Always")
    with pytest.raises(Refused, match="has to ask"):
        await run(asking)


async def test_credentials_that_the_server_no_longer_takes_are_fetched_again(cluster: ScriptedCluster, tmp_path: Path):
    (tmp_path / "count").write_text("0")
    script = (
        f"n=$(($(cat {tmp_path}/count) + 1)); echo $n > {tmp_path}/count; "
        f"""printf '{{"kind": "ExecCredential", "status": {{"token": "tok-%s"}}}}' $n"""
    )
    cluster.token = "tok-1"  # noqa: S105 - opens nothing
    settings = AccessSettings(server=cluster.url, plugin=plugin(tmp_path, script))
    api = ClusterApi(ClusterAccess(context="c", namespace="n", settings=settings))
    try:
        await api.send("GET", "/version")
        cluster.token = "tok-2"  # noqa: S105 - opens nothing
        await api.send("GET", "/version")
        cluster.token = "never"  # noqa: S105 - opens nothing
        with pytest.raises(Refused) as caught:
            await api.send("GET", "/version")
    finally:
        await api.aclose()
    assert caught.value.reference == "cluster-credentials"
    assert (tmp_path / "count").read_text().strip() == "3"
