"""Debug sessions on a scripted cluster, with the levels of Pod Security and a kubelet that starts what is admitted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from pyd_core.client.endpoint import Endpoint
from pyd_core.debug.pod.options import PodDebugOptions
from pyd_core.debug.pod.session import open_session
from pyd_core.errors import Conflict, InvalidInput, NotFound, Refused, Unsupported
from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.channels import run_command
from pyd_core.kube.cluster_client import ClusterClient
from support.kube.kubelet import ScriptedKubelet
from support.kube.objects import Object
from support.kube.server import ScriptedCluster
from support.kube.wire import status

IMAGE = "registry.test/tools:1"


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[ScriptedCluster]:
    async with ScriptedCluster() as server:
        yield server


@pytest_asyncio.fixture
async def engine(cluster: ScriptedCluster) -> AsyncIterator[ClusterClient]:
    access = ClusterAccess(context="c", namespace="states", settings=AccessSettings(server=cluster.url))
    async with ClusterClient(Endpoint(url="kube://c/states"), access) as client:
        yield client


def ephemeral(cluster: ScriptedCluster, pod: str = "running") -> list[Object]:
    stored = cluster.objects.get("pods", "states", pod)
    assert stored is not None
    return list(stored["spec"].get("ephemeralContainers", []))


def load(cluster: ScriptedCluster, uid: int | None) -> None:
    pod = cluster.load_state("running")
    if uid is not None:
        pod["spec"]["securityContext"] = {"runAsUser": uid, "runAsGroup": uid}


async def enter(engine: ClusterClient, target: str = "pod/running/app", **options: object) -> str:
    notices: list[str] = []
    request = PodDebugOptions(target=target, image=IMAGE, **options)  # type: ignore[arg-type]
    async with open_session(engine, request, notices.append) as session:
        return session.notice


@pytest.mark.parametrize(
    ("uid", "level", "rung"),
    [
        (65532, "privileged", "restricted"),
        (65532, "baseline", "restricted"),
        (65532, "restricted", "restricted"),
        (0, "privileged", "baseline"),
        (0, "baseline", "baseline"),
        (0, "restricted", "restricted"),
    ],
)
async def test_the_least_rung_that_is_admitted_is_taken(
    cluster: ScriptedCluster, engine: ClusterClient, uid: int, level: str, rung: str
):
    load(cluster, uid)
    ScriptedKubelet(cluster, level)
    notice = await enter(engine)
    assert f"({rung}:" in notice
    assert ("can't be reached" in notice) == (uid == 0 and level == "restricted")
    (added,) = ephemeral(cluster)
    assert added["targetContainerName"] == "app"
    assert len([line for line in cluster.requests if line.startswith("PATCH")]) <= 3


async def test_an_unknown_user_is_read_from_the_target_itself(cluster: ScriptedCluster, engine: ClusterClient):
    load(cluster, None)
    ScriptedKubelet(cluster)
    await enter(engine)  # the scripted exec runs `cat /proc/1/status` on this machine, where pid 1 is root's
    assert ephemeral(cluster)[0]["securityContext"]["runAsUser"] == 0


async def test_a_container_of_an_earlier_session_is_used_again(cluster: ScriptedCluster, engine: ClusterClient):
    load(cluster, 1000)
    ScriptedKubelet(cluster)
    assert await enter(engine) == await enter(engine)
    assert len(ephemeral(cluster)) == 1
    await enter(engine, "pod/running/ticker")
    assert [entry["targetContainerName"] for entry in ephemeral(cluster)] == ["app", "ticker"]


async def test_new_containers_are_added_after_those_that_are_there(cluster: ScriptedCluster, engine: ClusterClient):
    load(cluster, 1000)
    pod = cluster.objects.get("pods", "states", "running")
    assert pod is not None
    pod["spec"]["ephemeralContainers"] = [{"name": "other", "image": "x"}]
    ScriptedKubelet(cluster)
    await enter(engine)
    assert ephemeral(cluster)[0]["name"] == "other"


async def test_a_command_runs_in_the_debug_container(cluster: ScriptedCluster, engine: ClusterClient):
    load(cluster, 1000)
    ScriptedKubelet(cluster)
    request = PodDebugOptions(target="pod/running", image=IMAGE, line="echo $PYD_TARGET_PID; exit 5")
    async with open_session(engine, request, lambda _: None) as session:
        code, output, _, _ = await run_command(engine.cluster, session.member, session.command)
    assert (code, output) == (5, b"1\n")


async def test_without_the_right_to_add_one_it_says_which_is_missing(cluster: ScriptedCluster, engine: ClusterClient):
    load(cluster, 1000)
    text = 'pods "running" is forbidden: User "viewer" cannot patch resource "pods/ephemeralcontainers"'
    cluster.fail("PATCH", status(403, "Forbidden", text), times=9)
    with pytest.raises(Refused) as caught:
        await enter(engine)
    assert "pods/ephemeralcontainers" in caught.value.hint
    assert len([line for line in cluster.requests if line.startswith("PATCH")]) == 1


async def test_an_image_that_cannot_be_pulled_is_reported_with_the_node_s_words(
    cluster: ScriptedCluster, engine: ClusterClient
):
    load(cluster, 1000)
    ScriptedKubelet(cluster).waiting = {"reason": "ErrImagePull", "message": "no such host\x1b[2J"}
    with pytest.raises(Unsupported, match="no such host") as caught:
        await enter(engine)
    assert "\x1b" not in caught.value.message
    assert "--image" in caught.value.hint


async def test_a_container_that_does_not_run_is_not_patched(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("crashloop")
    with pytest.raises(Conflict) as caught:
        await enter(engine, "pod/crashloop")
    assert "--copy" in caught.value.hint
    assert not [line for line in cluster.requests if line.startswith("PATCH")]


async def test_a_copy_is_held_without_labels_and_probes_and_is_deleted(cluster: ScriptedCluster, engine: ClusterClient):
    pod = cluster.load_state("crashloop")
    pod["metadata"]["labels"] = {"app": "web"}
    pod["spec"]["containers"][0] |= {"livenessProbe": {}, "ports": [{"containerPort": 1, "hostPort": 80}]}
    ScriptedKubelet(cluster)
    request = PodDebugOptions(target="pod/crashloop", copy=True)
    async with open_session(engine, request, lambda _: None) as session:
        copy = cluster.objects.get("pods", "states", session.member.pod.metadata.name)
        assert copy is not None
        assert "app" not in copy["metadata"]["labels"]
        container = copy["spec"]["containers"][0]
        assert "livenessProbe" not in container
        assert "hostPort" not in container["ports"][0]
        assert container["command"][0] == "sh"
        assert copy["spec"]["activeDeadlineSeconds"] > 0
    assert cluster.objects.get("pods", "states", session.member.pod.metadata.name) is None


async def test_a_copy_that_does_not_start_is_deleted_too(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("crashloop")
    ScriptedKubelet(cluster).waiting = {"reason": "ErrImagePull", "message": "no"}
    with pytest.raises(Unsupported):
        await enter(engine, "pod/crashloop", copy=True)
    assert [entry["metadata"]["name"] for entry in cluster.objects.select("pods", "states", lambda _: True)] == [
        "crashloop"
    ]


async def test_a_workload_leads_to_its_pod_that_is_not_ready(cluster: ScriptedCluster, engine: ClusterClient):
    for name, ready in (("api-1", "True"), ("api-2", "False")):
        pod = cluster.load_state("running", as_name=name)
        pod["metadata"]["labels"] = {"app": "api"}
        for condition in pod["status"]["conditions"]:
            if condition["type"] == "Ready":
                condition["status"] = ready
    deployment = {
        "metadata": {"name": "api", "namespace": "states"},
        "spec": {"selector": {"matchLabels": {"app": "api"}}},
    }
    cluster.objects.put("deployments", deployment)
    ScriptedKubelet(cluster)
    assert "api-2" in await enter(engine, "deploy/api")
    with pytest.raises(NotFound):
        await enter(engine, "deploy/none")


async def test_a_node_is_entered_by_a_pod_that_is_deleted(cluster: ScriptedCluster, engine: ClusterClient):
    ScriptedKubelet(cluster)
    request = PodDebugOptions(target="node/kube-node", image=IMAGE)
    async with open_session(engine, request, lambda _: None) as session:
        pod = cluster.objects.get("pods", "states", session.member.pod.metadata.name)
        assert pod is not None
        assert pod["spec"]["nodeName"] == "kube-node"
        assert "securityContext" not in pod["spec"]["containers"][0]
    assert not cluster.objects.select("pods", "states", lambda _: True)


async def test_without_an_image_nothing_is_changed(cluster: ScriptedCluster, engine: ClusterClient):
    load(cluster, 1000)
    with pytest.raises(InvalidInput, match="no image"):
        async with open_session(engine, PodDebugOptions(target="pod/running"), lambda _: None):
            pass
    assert not [line for line in cluster.requests if line.startswith(("PATCH", "POST"))]
