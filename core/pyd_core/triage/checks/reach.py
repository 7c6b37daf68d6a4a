"""Why one container can't reach another: its state, names, networks, what it listens on, and filters between."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess

from pyd_core.client.engine_client import EngineClient
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


async def check_reach(message: Message, engine: EngineClient | None, name: str, found: CheckFindings) -> None:
    """Look for the container a message names, and compare it with the one that couldn't reach it.

    Args:
        message: Names a host, perhaps with a port.
        engine: Whose containers they are.
        name: The container that said it; empty where that isn't known.
        found: Takes what is found.
    """
    if engine is None or not message.subject:
        return
    host, port = _address(message.subject)
    try:
        listed = await engine.containers.list(all=True)
    except PydError as error:
        found.unread.append(
            UnavailableSource(source="engine", reason=error.message, would_tell="whether that is a container")
        )
        return
    asking = next((one for one in listed if name and (one.name == name or one.id.startswith(name))), None)
    if _is_loopback(host):
        found.saw("message", f"{host} is the container itself, not its host and no other container")
        found.advice.append("use the other container's name in the place of localhost")
        return
    if not any(host in _addresses(one) for one in listed):
        listed = await with_aliases(engine, listed, {host})
    target = next((one for one in listed if host in names_of(one) | _addresses(one)), None)
    if target is None:
        found.saw("engine", f"no container is called {host}")
        return
    networks = target.network_settings.networks
    found.saw("engine", f"container {target.name} ({target.state}) is on {', '.join(networks) or 'no network'}")
    if target.state != "running":
        found.advice.append(f"pyd triage {target.name} # it doesn't run")
    if asking is not None:
        _compare(asking, target, found)
    elif set(networks) <= _NAMELESS:
        found.saw("engine", "the default bridge resolves no container names")
        found.advice += ["pyd network create shared", f"pyd network connect shared {target.name}"]
    await _listening(target, port, engine, found)
    await _filters(set(networks), engine, found)


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


def _compare(asking: ContainerSummary, target: ContainerSummary, found: CheckFindings) -> None:
    own, theirs = set(asking.network_settings.networks), set(target.network_settings.networks)
    found.saw("engine", f"container {asking.name} is on {', '.join(sorted(own)) or 'no network'}")
    shared = own & theirs
    if shared - _NAMELESS:
        found.saw("engine", f"both are on {', '.join(sorted(shared - _NAMELESS))}, so its name can be resolved there")
        return
    if shared:
        found.saw("engine", "they share the default bridge alone, which resolves no container names")
    else:
        found.saw("engine", "they share no network")
    wanted = next(iter(sorted(theirs - _NAMELESS)), None)
    if wanted is None:
        found.advice += ["pyd network create shared", f"pyd network connect shared {target.name}"]
    found.advice.append(f"pyd network connect {wanted or 'shared'} {asking.name}")


async def _listening(target: ContainerSummary, port: int | None, engine: EngineClient, found: CheckFindings) -> None:
    """What it listens on, by its own network namespace where that is on this machine."""
    exposed = sorted({f"{entry.private_port}/{entry.type}" for entry in target.ports})
    found.saw("engine", f"it exposes {', '.join(exposed) or 'no port'}")
    if target.state != "running" or not engine.endpoint.is_local:
        return
    tells = "what it listens on"
    try:
        pid = (await engine.containers.inspect(target.id)).state.pid
        addresses = listening_addresses(pid) if pid else ()
    except (PydError, OSError) as error:
        found.unread.append(UnavailableSource(source="host", reason=str(error), would_tell=tells))
        return
    at_port = [address for address in addresses if port is None or address.port == port]
    if not at_port:
        what = "on no TCP port" if port is None else f"on no TCP port {port}"
        found.saw("host", f"its processes listen {what}")
        found.advice.append(f"pyd logs --tail 50 {target.name} # has it started listening?")
        return
    found.saw("host", f"its processes listen on {', '.join(str(address) for address in at_port)}")
    if all(address.is_loopback for address in at_port):
        found.saw("host", "that is its own loopback: nobody else can reach it")
        found.advice.insert(0, f"have {target.name} listen on 0.0.0.0")


async def _filters(networks: set[str], engine: EngineClient, found: CheckFindings) -> None:
    for name in sorted(networks):
        try:
            network = await engine.networks.inspect(name)
        except PydError:
            continue
        if network.options.get(_NO_TRAFFIC) == "false":
            found.saw("engine", f"network {name} forbids traffic between its containers ({_NO_TRAFFIC}=false)")
            found.advice.append("pyd network create shared # one that allows it")
    if not engine.endpoint.is_local:
        return
    tool = shutil.which("iptables")
    if os.geteuid() != 0 or tool is None:
        reason = "no right to read it" if tool else "no iptables here"
        found.unread.append(
            UnavailableSource(source="firewall", reason=reason, would_tell="whether rules of DOCKER-USER drop it")
        )
        return
    for rule in _refusing(tool):
        found.saw("firewall", f"a rule of DOCKER-USER: {rule}")
        found.advice.append("iptables -L DOCKER-USER -v -n")


def _refusing(tool: str) -> list[str]:
    """The rules that drop or reject in the chain that Docker leaves to the host's keeper."""
    done = subprocess.run([tool, "-S", "DOCKER-USER"], capture_output=True, text=True, check=False)
    return [rule for rule in done.stdout.splitlines() if rule.endswith(" -j DROP") or " -j REJECT" in rule]
