from __future__ import annotations

import json

from pyd_core.kube.cluster_api import ListPage
from pyd_core.kube.container_view import container_of, members
from pyd_core.kube.model.listed_pod import ListedPod
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.pod_sharing import PodSharing
from pyd_core.model.base import decode
from pyd_core.watch.container_info import from_inspect
from support.kube.crowd import crowd
from support.kube.records import state, state_names

SHOWN = (
    *("id", "name", "image", "command", "state", "health", "exit_code", "oom_killed", "error", "created_ns"),
    *("started_ns", "finished_ns", "restart_count", "restart_policy", "labels", "ports", "memory_limit", "cpu_limit"),
)


def listed(text: str) -> ListedPod:
    return decode(text.encode(), ListedPod)


def test_replicas_share_what_is_equal_and_keep_what_differs():
    pods = [json.dumps(pod) for pod in crowd(80, healthy=True)]
    sharing = PodSharing()
    first, second = (sharing.share(listed(pods[index])) for index in (0, 4))  # the same record and workload
    assert first.spec.containers[0] is second.spec.containers[0]
    assert first.metadata.labels is second.metadata.labels
    assert first.metadata.name != second.metadata.name
    other = sharing.share(listed(pods[44]))
    assert other.metadata.labels != first.metadata.labels


def test_a_changed_container_is_not_shared():
    text = json.dumps(state("running")["pod"])
    sharing = PodSharing()
    before = sharing.share(listed(text))
    after = sharing.share(listed(text.replace('"image": "', '"image": "other/')))
    assert before.spec.containers[0].image != after.spec.containers[0].image


def test_lists_show_the_same_of_a_listed_pod_as_of_the_complete_one():
    sharing = PodSharing()
    for name in state_names():
        text = json.dumps(state(name)["pod"]).encode()
        complete, reduced = decode(text, Pod), sharing.share(decode(text, ListedPod))
        for whole, part in zip(members(complete), members(reduced), strict=True):
            shown, expected = from_inspect(container_of(part)), from_inspect(container_of(whole))
            assert shown.volumes == ()
            for field in (
                "id",
                "name",
                "state",
                "health",
                "exit_code",
                "error",
                "restart_count",
                "started_ns",
                "labels",
            ):
                assert getattr(shown, field) == getattr(expected, field), (name, field)


def test_what_lists_leave_out_is_not_read_from_names_of_the_server_s_making():
    pod = json.loads(json.dumps(state("running")["pod"]))
    pod["spec"]["containers"][0]["env"] = {"not": "a list"}  # left out, so not even decoded
    page = decode(json.dumps({"items": [pod]}).encode(), ListPage[ListedPod])
    assert page.items[0].spec.containers[0].env == ()
