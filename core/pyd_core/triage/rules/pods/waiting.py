"""Rules about containers that their node hasn't started: images, configuration, volumes, init containers."""

from __future__ import annotations

import re
from shlex import quote

from pyd_core.kube.container_view import members
from pyd_core.kube.model.pod import ContainerStatus
from pyd_core.triage.evidence import Case, Item
from pyd_core.triage.pods.facts import MAX_MESSAGE_LENGTH, PodFacts, event_item
from pyd_core.triage.rule import Conclusion, RuleBook

BOOK = RuleBook()

_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed"})

_REGISTRY: tuple[tuple[str, str], ...] = (
    ("pull-rate-limited", r"toomanyrequests|429 Too Many Requests|pull rate limit"),
    (
        "registry-unreachable",
        r"dial tcp|no such host|i/o timeout|TLS handshake|x509:|deadline exceeded|connection re(?:fused|set)",
    ),
    ("no-space", r"no space left on device"),
    ("wrong-architecture", r"no match for platform|no matching manifest for"),
    ("pull-auth", r"401 Unauthorized|403 Forbidden|unauthorized|access denied|authorization failed|no basic auth"),
    ("image-not-found", r"manifest unknown|name unknown|: not found|does not exist"),
)
"""Causes by the registry's response; the first match counts."""

_MISSING: tuple[tuple[str, str, str], ...] = (
    (
        "config-key-not-found",
        r"couldn't find key (\S+) in (?:ConfigMap|Secret) (\S+)|references non-existent config key: (\S+)",
        "the key {0} isn't in {1}",
    ),
    ("configmap-not-found", r"(?i:configmap)s? \"([^\"]+)\" not found", "the config map {0} doesn't exist"),
    ("secret-not-found", r"(?i:secret)s? \"([^\"]+)\" not found", "the secret {0} doesn't exist"),
    (
        "root-image-refused",
        r"runAsNonRoot and image (?:will run as root|has non-numeric user)|runAsNonRoot",
        "it must not run as root, but its image would",
    ),
)
"""Causes by the kubelet's message about a configuration or a volume."""


@BOOK.rule(
    "image-pull-failed",
    needs=("pod",),
    says="It waits for its image, and the registry's response, if there is one, names no cause below.",
)
def image_pull_failed(case: Case) -> Conclusion | None:
    """Conclude why the image couldn't be pulled."""
    return _pull(case, "image-pull-failed")


def _pull(case: Case, cause: str) -> Conclusion | None:
    facts = case.pod
    waiting = facts.waiting if facts is not None else None
    if facts is None or waiting is None or waiting.reason not in _PULL:
        return None
    failed = next((event for event in facts.events_of("Failed") if "pull image" in event.message), None)
    answer = waiting.message if failed is None else f"{waiting.message}\n{failed.message}"
    answer = answer[: 2 * MAX_MESSAGE_LENGTH]
    answered = next((name for name, pattern in _REGISTRY if re.search(pattern, answer)), "image-pull-failed")
    if answered != cause:
        return None
    image = facts.member.spec.image
    last = (failed.message if failed is not None else waiting.message).rpartition(": ")[2].strip()
    texts = {
        "pull-rate-limited": "the registry limits the rate of pulls",
        "registry-unreachable": "the registry can't be reached",
        "no-space": "the disk of its node is full",
        "wrong-architecture": "it has no variant for the node's architecture",
        "pull-auth": "the registry refuses access",
        "image-not-found": "the registry doesn't have it",
    }
    why = texts.get(answered, "see the evidence")
    items = [facts.item(f"{waiting.reason}: {waiting.message}".removesuffix(": "))]
    items += [] if failed is None else [event_item(failed)]
    return Conclusion(
        cause=answered,
        confidence=0.93 if answered != "image-pull-failed" else 0.8,
        evidence=tuple(items),
        summary=f"can't start: its image {image} couldn't be pulled; {why}",
        reason=f"{why}: {last[:120]}" if last else why,
        advice=("pyd inspect {name}",),
    )


def _declare_pull(cause: str) -> None:
    says = "It waits for its image, and the registry's response to its node names this cause."
    BOOK.rule(cause, needs=("pod",), says=says)(lambda case: _pull(case, cause))


for _cause, _ in _REGISTRY:
    _declare_pull(_cause)


@BOOK.rule("image-name-invalid", needs=("pod",), says="It waits with the reason InvalidImageName.")
def image_name_invalid(case: Case) -> Conclusion | None:
    """Conclude that the image's name isn't valid."""
    return _waits(case, "InvalidImageName", "image-name-invalid", "can't start: {image} isn't a valid image name")


@BOOK.rule("image-never-pulled", needs=("pod",), says="It waits with the reason ErrImageNeverPull.")
def image_never_pulled(case: Case) -> Conclusion | None:
    """Conclude that the image is missing and may not be pulled."""
    text = "can't start: the image {image} isn't on its node, and its pull policy is Never"
    return _waits(case, "ErrImageNeverPull", "image-never-pulled", text)


def _waits(case: Case, reason: str, cause: str, summary: str) -> Conclusion | None:
    facts = case.pod
    waiting = facts.waiting if facts is not None else None
    if facts is None or waiting is None or waiting.reason != reason:
        return None
    return Conclusion(
        cause=cause,
        confidence=0.97,
        evidence=(facts.item(f"{waiting.reason}: {waiting.message}"),),
        summary=summary.replace("{image}", facts.member.spec.image),
        reason=waiting.message[:160],
        advice=("pyd inspect {name}",),
    )


def _configuration(facts: PodFacts) -> tuple[str, Item] | None:
    """Return the kubelet's message about a configuration or volume that keeps the container from starting."""
    waiting = facts.waiting
    if waiting is None:
        return None
    if waiting.reason == "CreateContainerConfigError":
        return waiting.message, facts.item(f"{waiting.reason}: {waiting.message}")
    if waiting.reason in {"ContainerCreating", "PodInitializing"}:
        event = next(facts.events_of("FailedMount"), None)
        if event is not None:
            return event.message, event_item(event)
    return None


def _missing(message: str) -> tuple[str, str] | None:
    """Return the cause that a message of the kubelet names, and a sentence."""
    for cause, pattern, text in _MISSING:
        match = re.search(pattern, message[:MAX_MESSAGE_LENGTH])
        if match is not None:
            groups = [group.rstrip(".,") for group in match.groups() if group]
            return cause, text.format(*groups, "the object")
    return None


def _configured(case: Case, cause: str) -> Conclusion | None:
    reported = None if case.pod is None else _configuration(case.pod)
    named = None if reported is None else _missing(reported[0])
    if reported is None or named is None or named[0] != cause:
        return None
    return Conclusion(
        cause=cause, confidence=0.95, evidence=(reported[1],), summary=f"can't start: {named[1]}", reason=named[1]
    )


def _declare_missing(cause: str) -> None:
    says = "It isn't started yet, and the kubelet's message about its configuration or a volume names this cause."
    BOOK.rule(cause, needs=("pod", "pod events"), says=says)(lambda case: _configured(case, cause))


for _cause, _, _ in _MISSING:
    _declare_missing(_cause)


@BOOK.rule(
    "container-config-invalid", needs=("pod",), says="It waits with CreateContainerConfigError for another reason."
)
def container_config_invalid(case: Case) -> Conclusion | None:
    """Conclude that the kubelet can't make its configuration."""
    waiting = case.pod.waiting if case.pod is not None else None
    if waiting is None or _missing(waiting.message) is not None:
        return None
    text = f"can't start: its configuration is refused: {waiting.message[:300]}"
    return _waits(case, "CreateContainerConfigError", "container-config-invalid", text)


@BOOK.rule(
    "container-create-failed",
    needs=("pod",),
    says="It waits with CreateContainerError, RunContainerError or a failed hook.",
)
def container_create_failed(case: Case) -> Conclusion | None:
    """Conclude that the runtime couldn't create it."""
    waiting = case.pod.waiting if case.pod is not None else None
    reasons = {"CreateContainerError", "RunContainerError", "PostStartHookError", "PreStartHookError"}
    if waiting is None or waiting.reason not in reasons:
        return None
    text = f"can't start: the container runtime refuses it: {waiting.message[:300]}"
    return _waits(case, waiting.reason, "container-create-failed", text)


_NODE_EVENTS = (
    ("volume-attach-failed", "FailedAttachVolume", "a volume couldn't be attached to its node"),
    ("volume-mount-failed", "FailedMount", "a volume couldn't be mounted"),
    ("pod-sandbox-failed", "FailedCreatePodSandBox", "its node couldn't set up the pod's network or sandbox"),
)


def _on_node(case: Case, cause: str, reason: str, text: str) -> Conclusion | None:
    facts = case.pod
    waiting = facts.waiting if facts is not None else None
    if facts is None or waiting is None or waiting.reason not in {"ContainerCreating", "PodInitializing"}:
        return None
    if any(status.container_id for status in facts.pod.status.init_container_statuses):
        return None  # its sandbox and volumes are in place, or its init containers couldn't have run
    event = next(facts.events_of(reason), None)
    if event is None or (reason == "FailedMount" and _missing(event.message) is not None):
        return None
    return Conclusion(
        cause=cause,
        confidence=0.9,
        evidence=(event_item(event),),
        summary=f"can't start: {text}: {event.message.strip()[:300]}",
        reason=text,
    )


def _declare_on_node(cause: str, reason: str, text: str) -> None:
    says = f"It isn't started yet, and the pod has the event {reason}."
    BOOK.rule(cause, needs=("pod events",), says=says)(lambda case: _on_node(case, cause, reason, text))


for _cause, _reason, _text in _NODE_EVENTS:
    _declare_on_node(_cause, _reason, _text)


def _blocks(status: ContainerStatus | None) -> bool:
    """Return whether an init container or sidecar fails."""
    if status is None:
        return False
    waiting, ended = status.state.waiting, status.state.terminated
    if waiting is not None:
        return waiting.reason not in {"", "PodInitializing", "ContainerCreating"}
    return ended is not None and ended.exit_code != 0


def _init(case: Case) -> PodFacts | None:
    """Return the facts of a container that waits for the init containers of its pod."""
    facts = case.pod
    waiting = facts.waiting if facts is not None else None
    return facts if waiting is not None and waiting.reason == "PodInitializing" else None


@BOOK.rule(
    "init-failed",
    needs=("pod",),
    says="It waits with PodInitializing, and an init container or sidecar has failed or can't start.",
)
def init_failed(case: Case) -> Conclusion | None:
    """Conclude that an init container keeps it from starting."""
    facts = _init(case)
    if facts is None:
        return None
    for member in members(facts.pod, qualified=facts.member.qualified):
        status = member.status
        if member.role not in {"init", "sidecar"} or status is None or not _blocks(status):
            continue
        waiting, end = status.state.waiting, status.state.terminated
        state = waiting.reason if waiting is not None else f"{end.reason}, exit code {end.exit_code}" if end else ""
        kind = "sidecar" if member.role == "sidecar" else "init container"
        return Conclusion(
            cause="init-failed",
            confidence=0.97,
            evidence=(facts.item(f"{kind} {member.spec.name}: {state}"),),
            summary=f"waits for the {kind} {member.spec.name}, which fails ({state})",
            reason=f"{kind} {member.spec.name} fails",
            advice=(f"pyd triage {quote(member.name)}", f"pyd logs --tail 100 {quote(member.name)}"),
        )
    return None


@BOOK.rule(
    "waiting-for-init", needs=("pod",), says="It waits with PodInitializing, and an init container is still running."
)
def waiting_for_init(case: Case) -> Conclusion | None:
    """Conclude that it waits for an init container."""
    facts = _init(case)
    if facts is None:
        return None
    for member in members(facts.pod, qualified=facts.member.qualified):
        status = member.status
        if member.role == "init" and status is not None and status.state.running is not None:
            return Conclusion(
                cause="waiting-for-init",
                confidence=0.95,
                evidence=(facts.item(f"init container {member.spec.name} is running"),),
                summary=f"waits for the init container {member.spec.name}, which is still running",
                advice=(f"pyd logs --tail 100 {quote(member.name)}",),
            )
    return None


@BOOK.rule("pod-starting", needs=("pod",), says="It waits for its start, and its node has reported no error.")
def pod_starting(case: Case) -> Conclusion | None:
    """Conclude that its node is about to start it."""
    facts = case.pod
    if facts is None or facts.finished or facts.pod.metadata.deletion_timestamp is not None:
        return None
    waiting = facts.waiting
    if not facts.pod.spec.node_name or (facts.status is not None and waiting is None):
        return None
    if waiting is not None and waiting.reason not in {"", "ContainerCreating", "PodInitializing"}:
        return None
    if facts.ended is not None:
        return None
    return Conclusion(
        cause="pod-starting",
        confidence=0.8,
        evidence=(facts.item(f"waits: {waiting.reason or 'no reason'}" if waiting else "no status yet"),),
        summary="is about to be started on its node",
    )
