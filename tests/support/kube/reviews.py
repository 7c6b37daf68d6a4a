"""Reviews: what a user may do, as the authorisation of a scripted cluster decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.kube.objects import Object
from support.kube.resources import Resource
from support.kube.wire import Answer, status

Allowed = Callable[[str, str, str, str], bool]
"""Whether a verb on a resource (with its subresource after a slash), in a namespace and on a name, is allowed."""

USER = "tester"


def review(resource: Resource, body: Any, allowed: Allowed) -> Answer:
    """Answer a review of the client's own rights."""
    answered: Object = {"kind": resource.kind, "apiVersion": resource.group_version, "metadata": {}, **body}
    match resource.kind:
        case "SelfSubjectAccessReview":
            attributes = body["spec"].get("resourceAttributes") or {}
            sub = attributes.get("subresource")
            name = attributes.get("resource", "") + (f"/{sub}" if sub else "")
            verdict = allowed(
                attributes.get("verb", ""), name, attributes.get("namespace", ""), attributes.get("name", "")
            )
            answered["status"] = {"allowed": verdict}
        case "SelfSubjectRulesReview":
            rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
            answered["status"] = {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}
        case "SelfSubjectReview":
            answered["status"] = {"userInfo": {"username": USER, "groups": ["system:authenticated"]}}
    return Answer(201, answered)


def forbidden(verb: str, resource: Resource, sub: str, namespace: str, name: str) -> Answer:
    """Return the refusal of a verb, in the API server's words."""
    what = resource.name + (f"/{sub}" if sub else "")
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    text = (
        f'{subject} is forbidden: User "{USER}" cannot {verb} resource "{what}" in API group "{resource.group}" {where}'
    )
    details = {"name": name, "group": resource.group, "kind": resource.name}
    return status(403, "Forbidden", text, details={key: value for key, value in details.items() if value})
