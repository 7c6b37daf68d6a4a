"""The table of staged faults of pods: recorded ones, and others made from these by what a cluster would report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pyd_core.client.endpoint import Endpoint
from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.model.base import parse_time
from pyd_core.triage.api import explain
from pyd_core.triage.verdict import Verdict
from support.kube.objects import Object
from support.kube.records import state
from support.kube.server import ScriptedCluster

NAMESPACE = "states"


class PodStage(NamedTuple):
    """A fault of a pod.

    Attributes:
        short: Its name in the table.
        cause: The cause that triage has to name.
        base: The recorded pod that it is made from.
        change: Changes the record; nothing where the record itself is the stage.
        also: Causes that triage may list as contributing.
        container: The container that triage is asked about; empty for the pod.
    """

    short: str
    cause: str
    base: str
    change: Callable[[Object], None] = lambda _: None
    also: tuple[str, ...] = ()
    container: str = ""


def scheduling(message: str, reason: str = "Unschedulable") -> Callable[[Object], None]:
    """Return a change of the scheduler's message."""

    def change(record: Object) -> None:
        record["pod"]["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        ]
        record["pod"]["spec"].pop("volumes", None)
        record["events"] = [event(record, "FailedScheduling", message)]

    return change


def event(record: Object, reason: str, message: str, container: str = "", **fields: Any) -> Object:
    """Return an event of a pod."""
    metadata = record["pod"]["metadata"]
    about = {"kind": "Pod", "name": metadata["name"], "namespace": NAMESPACE, "uid": metadata["uid"]}
    if container:
        about["fieldPath"] = f"spec.containers{{{container}}}"
    times = {"firstTimestamp": "2026-11-30T23:17:00Z", "lastTimestamp": "2026-11-30T23:18:00Z"}
    return {"involvedObject": about, "reason": reason, "message": message, "type": "Warning", **times, **fields}


def waiting(reason: str, message: str = "", *events: tuple[str, str]) -> Callable[[Object], None]:
    """Return a change of the reason for which the first container waits."""

    def change(record: Object) -> None:
        entry = record["pod"]["status"]["containerStatuses"][0]
        entry["state"] = {"waiting": {"reason": reason, "message": message}}
        container = "main" if reason != "ContainerCreating" else ""
        record["events"] = [event(record, kind, text, container) for kind, text in events]

    return change


def failed(reason: str, message: str) -> Callable[[Object], None]:
    """Return a change of the reason for which the pod failed."""

    def change(record: Object) -> None:
        record["pod"]["status"] |= {"phase": "Failed", "reason": reason, "message": message}
        record["events"] = []

    return change


def ended(code: int, reason: str) -> Callable[[Object], None]:
    """Return a change of how the last run of the first container ended, without output."""

    def change(record: Object) -> None:
        entry = record["pod"]["status"]["containerStatuses"][0]
        end = entry["state"].get("terminated") or entry["lastState"]["terminated"]
        end |= {"exitCode": code, "reason": reason}
        record["logs"] = {}

    return change


def disrupted(reason: str, message: str) -> Callable[[Object], None]:
    """Return a change to a pod that is being removed for a reason."""

    def change(record: Object) -> None:
        record["pod"]["metadata"]["deletionTimestamp"] = "2026-12-01T00:17:08Z"
        record["pod"]["status"]["conditions"].append(
            {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}
        )

    return change


def deleted(record: Object) -> None:
    record["pod"]["metadata"]["deletionTimestamp"] = "2026-11-30T20:00:00Z"


def kept_by_finalizer(record: Object) -> None:
    deleted(record)
    record["pod"]["metadata"]["finalizers"] = ["example.org/backup"]


def node(record: Object, *conditions: tuple[str, str, str]) -> None:
    """Give a pod's node these conditions, each a type, status and reason."""
    entries = [{"type": kind, "status": status, "reason": why, "message": why} for kind, status, why in conditions]
    record["node"] = {"metadata": {"name": record["pod"]["spec"]["nodeName"]}, "status": {"conditions": entries}}


def on_unready_node(record: Object) -> None:
    node(record, ("Ready", "False", "KubeletNotReady"))


def on_full_node(record: Object) -> None:
    node(record, ("DiskPressure", "True", "KubeletHasDiskPressure"), ("Ready", "True", "KubeletReady"))


def without_node_rights(record: Object) -> None:
    del record["node"]


def startup_probe(record: Object) -> None:
    for entry in record["events"]:
        entry["message"] = entry["message"].replace("Liveness probe", "Startup probe").replace("liveness", "startup")


def closed_gate(record: Object) -> None:
    for condition in record["pod"]["status"]["conditions"]:
        if condition["type"] == "Ready":
            text = 'corresponding condition of pod readiness gate "lb" does not exist.'
            condition |= {"status": "False", "reason": "ReadinessGatesNotReady", "message": text}


def unbound_claim(record: Object) -> None:
    scheduling("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found")(record)


def unresolved_name(record: Object) -> None:
    for runs in record["logs"].values():
        for run in runs.values():
            stamp = str(run["body"]).partition(" ")[0]
            run["body"] = f"{stamp} Error: getaddrinfo ENOTFOUND db.example\n"


def crashing_sidecar(record: Object) -> None:
    """Give the sidecar the status and the log of a container that a real cluster saw in a crash loop."""
    crashing = state("crashloop")
    entry = record["pod"]["status"]["initContainerStatuses"][0]
    entry |= {**crashing["pod"]["status"]["containerStatuses"][0], "name": entry["name"]}
    record["logs"][entry["name"]] = crashing["logs"]["main"]


def blocked_by_sidecar(record: Object) -> None:
    crashing_sidecar(record)
    record["pod"]["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "PodInitializing"}}


def init_image(record: Object) -> None:
    record["pod"]["status"]["initContainerStatuses"][0]["state"] = {
        "waiting": {
            "reason": "ErrImageNeverPull",
            "message": "Container image is not present with pull policy of Never",
        }
    }
    record["pod"]["status"]["initContainerStatuses"][0]["lastState"] = {}


PULL = 'failed to pull and unpack image "r.test/a:1": failed to resolve reference "r.test/a:1": '

STAGES: tuple[PodStage, ...] = (
    PodStage("pending-cpu", "insufficient-resources", "pending-cpu"),
    PodStage("pending-taint", "untolerated-taint", "pending-taint"),
    PodStage("pending-selector", "node-selector-mismatch", "pending-selector"),
    PodStage("pending-pvc", "volume-claim-missing", "pending-pvc"),
    PodStage("claim-unbound", "volume-unbound", "pending-pvc", unbound_claim),
    PodStage(
        "volume-elsewhere",
        "volume-unbound",
        "pending-cpu",
        scheduling("0/2 nodes are available: 2 node(s) had volume node affinity conflict. preemption: 0/2 nodes."),
    ),
    PodStage(
        "memory-and-taint",
        "insufficient-resources",
        "pending-cpu",
        scheduling(
            "0/5 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
            "4 Insufficient memory. preemption: 0/5 nodes are available: 5 Preemption is not helpful."
        ),
        ("untolerated-taint",),
    ),
    PodStage("node-full-of-pods", "insufficient-resources", "pending-cpu",
             scheduling("0/1 nodes are available: 1 Too many pods.")),
    PodStage("gpu-missing", "insufficient-resources", "pending-cpu",
             scheduling("0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate.")),
    PodStage("anti-affinity", "pod-affinity-mismatch", "pending-cpu",
             scheduling("0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.")),
    PodStage("topology-spread", "pod-affinity-mismatch", "pending-cpu",
             scheduling("0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.")),
    PodStage("host-port", "host-port-taken", "pending-cpu",
             scheduling("0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.")),
    PodStage("cordoned", "node-cordoned", "pending-cpu",
             scheduling("0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available.")),
    PodStage("gated", "scheduling-gated", "pending-cpu",
             scheduling("Scheduling is blocked due to non-empty scheduling gates", "SchedulingGated")),
    PodStage("no-nodes", "unschedulable", "pending-cpu", scheduling("no nodes available to schedule pods")),
    PodStage("image-pull", "registry-unreachable", "image-pull"),
    PodStage("image-invalid", "image-name-invalid", "image-invalid"),
    PodStage("image-never", "image-never-pulled", "image-never"),
    PodStage("stuck-rollout-pod", "image-never-pulled", "stuck-68c6cbb766-8zwnx"),
    PodStage("image-unknown", "image-not-found", "image-pull",
             waiting("ErrImagePull", f"rpc error: code = NotFound desc = {PULL}r.test/a:1: not found")),
    PodStage("image-refused", "pull-auth", "image-pull",
             waiting("ImagePullBackOff", "Back-off pulling image", ("Failed",
                     f"Failed to pull image: {PULL}pull access denied, repository does not exist or may need login"))),
    PodStage("image-rate", "pull-rate-limited", "image-pull",
             waiting("ErrImagePull", f"{PULL}unexpected status: 429 Too Many Requests - toomanyrequests")),
    PodStage("image-certificate", "registry-unreachable", "image-pull",
             waiting("ErrImagePull", f"{PULL}tls: failed to verify certificate: x509: certificate has expired")),
    PodStage("image-platform", "wrong-architecture", "image-pull",
             waiting("ErrImagePull", f"{PULL}no match for platform in manifest: not found")),
    PodStage("image-disk-full", "no-space", "image-pull",
             waiting("ErrImagePull", f"{PULL}write /var/lib/x: no space left on device")),
    PodStage("image-odd", "image-pull-failed", "image-pull", waiting("ErrImagePull", "something new")),
    PodStage("config-nomap", "configmap-not-found", "config-nomap"),
    PodStage("config-secret", "secret-not-found", "config-nomap",
             waiting("CreateContainerConfigError", 'secret "db" not found')),
    PodStage("config-key", "config-key-not-found", "config-nomap",
             waiting("CreateContainerConfigError", "couldn't find key url in ConfigMap states/settings")),
    PodStage("config-root", "root-image-refused", "config-nomap",
             waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root (pod: x)")),
    PodStage("config-odd", "container-config-invalid", "config-nomap",
             waiting("CreateContainerConfigError", "failed to sync configmap cache: timed out")),
    PodStage("create-odd", "container-create-failed", "config-nomap",
             waiting("CreateContainerError", "failed to generate container spec: no command specified")),
    PodStage("mount-configmap", "configmap-not-found", "config-nomap",
             waiting("ContainerCreating", "", ("FailedMount",
                     'MountVolume.SetUp failed for volume "c" : configmap "settings" not found'))),
    PodStage("mount-nfs", "volume-mount-failed", "config-nomap",
             waiting("ContainerCreating", "", ("FailedMount",
                     'MountVolume.SetUp failed for volume "d" : mount failed: exit status 32'))),
    PodStage("attach", "volume-attach-failed", "config-nomap",
             waiting("ContainerCreating", "", ("FailedAttachVolume",
                     'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0'))),
    PodStage("sandbox", "pod-sandbox-failed", "config-nomap",
             waiting("ContainerCreating", "", ("FailedCreatePodSandBox",
                     'Failed to create pod sandbox: plugin type="bridge" failed (add): no IP addresses available'))),
    PodStage("starting", "pod-starting", "config-nomap", waiting("ContainerCreating")),
    PodStage("init-running", "waiting-for-init", "init-running"),
    PodStage("init-fail", "connection-refused", "init-fail", also=("restart-loop",)),
    PodStage("init-fail-never", "connection-refused", "init-fail-never"),
    PodStage("init-fail-main", "init-failed", "init-fail", container="main"),
    PodStage("sidecar-crash", "connection-refused", "sidecar", crashing_sidecar, ("restart-loop",)),
    PodStage("sidecar-blocks", "init-failed", "sidecar", blocked_by_sidecar, container="main"),
    PodStage("sidecar-stopped", "stopped", "sidecar-done", container="proxy"),
    PodStage("crashloop-dns", "dns-failure", "crashloop", unresolved_name, ("restart-loop",)),
    PodStage("init-image", "image-never-pulled", "init-fail", init_image),
    PodStage("crashloop", "connection-refused", "crashloop", also=("restart-loop",)),
    PodStage("error-never", "connection-refused", "error-never"),
    PodStage("partly-ready", "connection-refused", "partly-ready", also=("restart-loop",)),
    PodStage("job-fail", "connection-refused", "job-fail-xn7f5"),
    PodStage("bad-command", "command-not-found", "bad-command", also=("restart-loop",)),
    PodStage("bad-command-never", "command-not-found", "bad-command-never"),
    PodStage("oom-main", "oom-killed", "oom-main", also=("restart-loop",)),
    PodStage("oom-main-never", "oom-killed", "oom-main-never"),
    PodStage("oom-child-exit-0", "oom-child", "oom-main-never", ended(0, "OOMKilled")),
    PodStage("killed-137", "killed-externally", "error-never", ended(137, "Error")),
    PodStage("evicted-emptydir", "evicted-storage-limit", "evicted-emptydir", also=("container-lost",)),
    PodStage("evicted-ephemeral", "evicted-storage-limit", "evicted-emptydir",
             failed("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "),
             ("container-lost",)),
    PodStage("evicted-memory", "evicted-node-pressure", "evicted-emptydir",
             failed("Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. "),
             ("container-lost",)),
    PodStage("evicted-odd", "evicted", "evicted-emptydir", failed("Evicted", "because"), ("container-lost",)),
    PodStage("preempting", "preempted", "error-never",
             failed("Preempting", "Preempted in order to admit critical pod"), ("connection-refused",)),
    PodStage("preempted-by-scheduler", "preempted", "running",
             disrupted("PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"),
             ("terminating",)),
    PodStage("drained", "drained", "running",
             disrupted("EvictionByEvictionAPI", "Eviction API: evicting"), ("terminating",)),
    PodStage("taint-added", "taint-evicted", "running",
             disrupted("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"), ("terminating",)),
    PodStage("node-shutdown", "node-shutdown", "completed",
             failed("Terminated", "Pod was terminated in response to imminent node shutdown.")),
    PodStage("out-of-cpu", "node-refused-pod", "pending-cpu",
             failed("OutOfcpu", "Node didn't have enough resource: cpu, requested: 2, used: 3, capacity: 4")),
    PodStage("deadline", "deadline-exceeded", "deadline"),
    PodStage("after-reboot", "container-lost", "after-reboot"),
    PodStage("live-fail", "liveness-failed", "live-fail", also=("restart-loop",)),
    PodStage("startup-fail", "startup-probe-failed", "live-fail", startup_probe, ("restart-loop",)),
    PodStage("ready-fail", "readiness-failed", "ready-fail"),
    PodStage("ready-exec-fail", "readiness-failed", "ready-exec-fail"),
    PodStage("gate", "readiness-gate-closed", "ds-n5bvj", closed_gate),
    PodStage("node-lost", "node-lost", "lost", also=("taint-evicted", "terminating")),
    PodStage("node-lost-no-rights", "node-lost", "lost", without_node_rights, ("taint-evicted", "terminating")),
    PodStage("node-not-ready", "node-not-ready", "ready-fail", on_unready_node, ("readiness-failed",)),
    PodStage("node-disk", "configmap-not-found", "config-nomap", on_full_node, ("node-pressure",)),
    PodStage("finalizer", "finalizer-blocks-deletion", "completed", kept_by_finalizer, ("stuck-terminating",)),
    PodStage("deleted-long-ago", "stuck-terminating", "ds-n5bvj", deleted),
    PodStage("terminating-grace", "terminating", "terminating-grace"),
)  # fmt: skip
"""Faults, one of each line; at least forty, and each with the only right cause."""

WELL: dict[str, str] = {
    "completed": "clean-exit",
    "cron-29934678-dgmqr": "clean-exit",
    "cron-29934679-6kwvf": "clean-exit",
    "ds-n5bvj": "running-ok",
    "guaranteed": "running-ok",
    "hostnet": "running-ok",
    "interactive": "running-ok",
    "job-ok-wdngg": "clean-exit",
    "oom-child": "running-ok",  # the cluster has no trace of it
    "running": "running-ok",
    "sidecar": "running-ok",
    "sidecar-done": "clean-exit",
    "sts-0": "running-ok",
    "sts-1": "running-ok",
    "stuck-7879864bdf-8r9n4": "running-ok",
    "stuck-7879864bdf-b5kb4": "running-ok",
}
"""Recorded pods that are well, with the cause that says so."""

RECORDED_NS = parse_time("2026-11-30T23:19:30Z")
"""A time at which the records were true."""


async def judge(stage: PodStage) -> Verdict:
    """Return triage's verdict on a staged pod, over a real connection."""
    record = state(stage.base)
    stage.change(record)
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        pod = cluster.load_record(record)
        name = "/".join(filter(None, (pod["metadata"]["name"], stage.container)))
        return await explain(client, name, now_ns=RECORDED_NS)


def client_of(cluster: ScriptedCluster) -> ClusterClient:
    """Return a client of a scripted cluster."""
    settings = AccessSettings(server=cluster.url, token=cluster.token)
    access = ClusterAccess(context="scripted", namespace=NAMESPACE, settings=settings)
    return ClusterClient(Endpoint(url=f"kube://c/{NAMESPACE}"), access)


def staged_causes(stages: Iterable[PodStage] = STAGES) -> set[str]:
    """Return all causes that stages lead to."""
    return {cause for stage in stages for cause in (stage.cause, *stage.also)}
