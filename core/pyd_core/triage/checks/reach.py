"""Check of a connection between containers: states, names, networks, listening sockets and firewalls."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess

from pyd_core.client.provider import Provider, engine_of
from pyd_core.errors import PydError
from pyd_core.linux.listeners import listening_addresses
from pyd_core.model.container import ContainerSummary
from pyd_core.triage.checks.findings import CheckFindings
from pyd_core.triage.collect.peers import names_of, with_aliases
from pyd_core.triage.evidence import UnavailableSource
from pyd_core.triage.messages import Message

_NAMELESS = frozenset({"bridge", "host", "none", "podman"})
"""Networks on which engines resolve no container names."""
_NO_TRAFFIC = "com.docker.network.bridge.enable_icc"
"""The option of a bridge whose `false` forbids traffic between its containers (Docker's bridge driver)."""


async def check_reach(message: Message, engine: Provider | None, name: str, findings: CheckFindings) -> None:
    """Find the container that a message names, and compare it with the one that couldn't reach it.

    Args:
        message: A message with a host, and possibly a port.
        engine: The containers' engine.
        name: The container that printed it; empty if unknown.
        findings: Receives the findings.
    """
    if engine is None or not message.subject:
        return
    host, port = _address(message.subject)
    try:
        listed = await engine.containers.list(all=True)
    except PydError as error:
        findings.unread.append(
            UnavailableSource(source="engine", reason=error.message, would_tell="whether that is a container")
        )
        return
    asking = next(
        (container for container in listed if name and (container.name == name or container.id.startswith(name))), None
    )
    if _is_loopback(host):
        findings.add("message", f"{host} is the container itself, neither its host nor another container")
        findings.advice.append("use the other container's name instead of localhost")
        return
    if not any(host in _addresses(container) for container in listed):
        listed = await with_aliases(engine, listed, {host})
    target = next((container for container in listed if host in names_of(container) | _addresses(container)), None)
    if target is None:
        findings.add("engine", f"no container is called {host}")
        return
    networks = target.network_settings.networks
    findings.add("engine", f"container {target.name} ({target.state}) is on {', '.join(networks) or 'no network'}")
    if target.state != "running":
        findings.advice.append(f"pyd triage {target.name} # it isn't running")
    if asking is not None:
        _compare(asking, target, findings)
    elif set(networks) <= _NAMELESS:
        findings.add("engine", "the default bridge resolves no container names")
        findings.advice += ["pyd network create shared", f"pyd network connect shared {target.name}"]
    await _listening(target, port, engine, findings)
    await _filters(set(networks), engine, findings)


def _address(subject: str) -> tuple[str, int | None]:
    """A host and its port, if it has one: `db`, `db:5432`, `[::1]:80`."""
    if subject.startswith("["):
        host, _, rest = subject[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = subject.partition(":")
    return host, int(port) if port.isdecimal() and len(port) < 6 else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _addresses(container: ContainerSummary) -> set[str]:
    ends = container.network_settings.networks.values()
    return {address for end in ends for address in (end.ip_address, end.global_ipv6_address)} - {""}


def _compare(asking: ContainerSummary, target: ContainerSummary, findings: CheckFindings) -> None:
    own, theirs = set(asking.network_settings.networks), set(target.network_settings.networks)
    findings.add("engine", f"container {asking.name} is on {', '.join(sorted(own)) or 'no network'}")
    shared = own & theirs
    if shared - _NAMELESS:
        findings.add(
            "engine", f"both are on {', '.join(sorted(shared - _NAMELESS))}, so its name can be resolved there"
        )
        return
    if shared:
        findings.add("engine", "they share only the default bridge, which resolves no container names")
    else:
        findings.add("engine", "they share no network")
    named = next(iter(sorted(theirs - _NAMELESS)), None)
    if named is None:
        findings.advice += ["pyd network create shared", f"pyd network connect shared {target.name}"]
    findings.advice.append(f"pyd network connect {named or 'shared'} {asking.name}")


async def _listening(target: ContainerSummary, port: int | None, engine: Provider, findings: CheckFindings) -> None:
    """Report the target's listening sockets, from its network namespace if it is on this machine."""
    exposed = sorted({f"{entry.private_port}/{entry.type}" for entry in target.ports})
    findings.add("engine", f"it exposes {', '.join(exposed) or 'no port'}")
    if target.state != "running" or not engine.endpoint.is_local:
        return
    would_tell = "what it listens on"
    try:
        pid = (await engine.containers.inspect(target.id)).state.pid
        addresses = listening_addresses(pid) if pid else ()
    except (PydError, OSError) as error:
        findings.unread.append(UnavailableSource(source="host", reason=str(error), would_tell=would_tell))
        return
    at_port = [address for address in addresses if port is None or address.port == port]
    if not at_port:
        what = "on no TCP port" if port is None else f"on no TCP port {port}"
        findings.add("host", f"its processes listen {what}")
        findings.advice.append(f"pyd logs --tail 50 {target.name} # has it started listening?")
        return
    findings.add("host", f"its processes listen on {', '.join(str(address) for address in at_port)}")
    if all(address.is_loopback for address in at_port):
        findings.add("host", "that is its own loopback, which no other container can reach")
        findings.advice.insert(0, f"make {target.name} listen on 0.0.0.0")


async def _filters(networks: set[str], engine: Provider, findings: CheckFindings) -> None:
    for name in sorted(networks):
        try:
            network = await engine_of(engine).networks.inspect(name)
        except PydError:
            continue
        if network.options.get(_NO_TRAFFIC) == "false":
            findings.add("engine", f"network {name} forbids traffic between its containers ({_NO_TRAFFIC}=false)")
            findings.advice.append("pyd network create shared # one that allows it")
    if not engine.endpoint.is_local:
        return
    tool = shutil.which("iptables")
    if os.geteuid() != 0 or tool is None:
        reason = "no permission to read it" if tool else "no iptables here"
        findings.unread.append(
            UnavailableSource(source="firewall", reason=reason, would_tell="whether rules of DOCKER-USER drop it")
        )
        return
    for rule in _refusing(tool):
        findings.add("firewall", f"a rule of DOCKER-USER: {rule}")
        findings.advice.append("iptables -L DOCKER-USER -v -n")


def _refusing(tool: str) -> list[str]:
    """Return the rules that drop or reject in Docker's chain for the administrator."""
    done = subprocess.run([tool, "-S", "DOCKER-USER"], capture_output=True, text=True, check=False)
    return [rule for rule in done.stdout.splitlines() if rule.endswith(" -j DROP") or " -j REJECT" in rule]
