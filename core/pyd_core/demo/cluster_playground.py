"""Setup and removal of the playground in a cluster: pods that run and pods that are broken, each in its own way.

Every pod has an image that is on the nodes already, and needs no program in it: what is broken is broken by the pod's
specification. The pods satisfy the *restricted* pod security standard.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pyd_core.errors import Conflict, NotFound, PydError
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.deletion import delete_object
from pyd_core.kube.model.meta import ClusterStruct, ObjectMeta
from pyd_core.kube.model.pod import Pod

LABEL = "pyd.demo"
"""Label on everything that belongs to the playground."""
NAMESPACE = "pyd-demo"
CLOSED_PORT = 9999
"""A port that no program of the playground listens on."""
MAX_IMAGES_PER_NODE = 200
_NOBODY_ID = 65534


class _NodeImageNames(ClusterStruct):
    names: tuple[str, ...] = ()


class _ImagesStatus(ClusterStruct):
    images: tuple[_NodeImageNames, ...] = ()


class _NodeWithImages(ClusterStruct):
    status: _ImagesStatus = _ImagesStatus()


class _NamespaceMark(ClusterStruct):
    metadata: ObjectMeta = ObjectMeta()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoObject:
    """An object of the playground.

    Attributes:
        resource: Its name in the API: `pods`.
        group: Its group and version.
        name: Its name in the namespace.
        shows: What it demonstrates, in a line; empty for what belongs to another.
        body: The object.
    """

    resource: str
    group: str
    name: str
    shows: str
    body: dict[str, Any]


async def image_on_nodes(api: ClusterApi) -> str:
    """Return an image that the nodes have: the one for sandboxes, which runs for ever, else the most common.

    Raises:
        NotFound: None is known.
    """
    counts: Counter[str] = Counter()
    try:
        nodes, _ = await api.list(object_path("nodes"), _NodeWithImages)
        for node in nodes:
            counts.update(name for image in node.status.images[:MAX_IMAGES_PER_NODE] for name in image.names)
    except PydError:
        pass  # no rights to list nodes: the images of pods are known too
    if not counts:
        pods, _ = await api.list(object_path("pods", namespace=api.access.scope), Pod)
        counts.update(container.image for pod in pods for container in pod.spec.containers)
    names = [name for name, _ in counts.most_common() if name and "<none>" not in name]
    tagged = [name for name in names if "@" not in name] or names
    if not tagged:
        raise NotFound("no image on the nodes is known", hint="name one with --image", reference="no-demo-image")
    return next((name for name in tagged if "/pause:" in name), tagged[0])


def demo_objects(image: str) -> list[DemoObject]:
    """Return all objects of the playground, in the order of their creation."""
    probe = {"tcpSocket": {"port": CLOSED_PORT}, "periodSeconds": 5, "failureThreshold": 1}
    missing_settings: dict[str, Any] = {"envFrom": [{"configMapRef": {"name": "no-such-settings"}}]}
    claim = {"persistentVolumeClaim": {"claimName": "no-such-claim"}}
    return [
        _deployment("web", image, 2, "two pods that run, with a service"),
        _service("web", "web"),
        _deployment(
            "unready", image, 1, "its readiness probe fails, so that its service has no endpoints", readinessProbe=probe
        ),
        _service("unready", "unready"),
        _deployment("looping", image, 1, "its liveness probe restarts it again and again", livenessProbe=probe),
        _pod("no-program", image, "its command isn't in the image", command=["/no-such-program"]),
        _pod("no-image", "pyd-demo.invalid/no-such-image:1", "its image can't be pulled"),
        _pod("no-config", image, "its config map is missing", **missing_settings),
        _pod("no-node", image, "no node has the label that it asks for", spec={"nodeSelector": {LABEL: "nowhere"}}),
        _pod("no-claim", image, "its volume claim is missing", spec={"volumes": [{"name": "data", **claim}]}),
    ]


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "labels": {LABEL: "1", "app": name}}


def _pod_spec(image: str, **container: Any) -> dict[str, Any]:
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    limits = {"cpu": "50m", "memory": "64Mi"}
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "app",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": confined,
                "resources": {"limits": limits, "requests": {"cpu": "1m", "memory": "8Mi"}},
                **container,
            }
        ],
    }


def _pod(name: str, image: str, shows: str, *, spec: dict[str, Any] | None = None, **container: Any) -> DemoObject:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(name),
        "spec": {**_pod_spec(image, **container), **(spec or {})},
    }
    return DemoObject(resource="pods", group="v1", name=name, shows=shows, body=body)


def _deployment(name: str, image: str, replicas: int, shows: str, **container: Any) -> DemoObject:
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {LABEL: "1", "app": name}}, "spec": _pod_spec(image, **container)},
    }
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(name), "spec": spec}
    return DemoObject(resource="deployments", group="apps/v1", name=name, shows=shows, body=body)


def _service(name: str, app: str) -> DemoObject:
    spec = {"selector": {"app": app}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(name), "spec": spec}
    return DemoObject(resource="services", group="v1", name=name, shows="", body=body)


async def bring_up(api: ClusterApi, image: str = "") -> list[DemoObject]:
    """Create the playground in a namespace of its own, and return its objects.

    Args:
        api: The API server.
        image: The image of the pods; empty chooses one that is on the nodes.

    Raises:
        Conflict: There is such a namespace already.
        Refused: The user may not create it.
        NotFound: No image on the nodes is known.
    """
    objects = demo_objects(image or await image_on_nodes(api))
    try:
        await api.send(
            "POST",
            object_path("namespaces"),
            body={
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": NAMESPACE, "labels": {LABEL: "1"}},
            },
        )
    except Conflict as error:
        raise Conflict(
            f"the namespace {NAMESPACE} is there already",
            hint="pyd demo --kube down takes the playground away",
            reference="demo-is-up",
        ) from error
    try:
        for part in objects:
            await api.send("POST", object_path(part.resource, group=part.group, namespace=NAMESPACE), body=part.body)
    except BaseException:
        await take_down(api)
        raise
    return objects


async def take_down(api: ClusterApi) -> bool:
    """Remove the namespace with everything in it, and return whether there was one.

    Raises:
        Conflict: The namespace belongs to something else.
    """
    path = object_path("namespaces", name=NAMESPACE)
    try:
        namespace = await api.get(path, _NamespaceMark)
    except NotFound:
        return False
    if namespace.metadata.labels.get(LABEL) != "1":
        raise Conflict(
            f"the namespace {NAMESPACE} isn't the playground's: it lacks the label {LABEL}=1", reference="not-the-demo"
        )
    await delete_object(api, path, namespace.metadata.uid)
    return True
