"""`pyd swarm init|join|leave|join-token|ca|update`."""

from __future__ import annotations

from typing import Any

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.cliparse.durations import parse_duration
from pyd_core.sanitise import safe
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.console.command import Verb
from pyd_tui.console.output import write, write_json

PORT = 2377
"""Where managers listen (docker/cli, `swarm/opts.go`)."""

advertise_option = click.option(
    "--advertise-addr", "advertise", default="", metavar="ADDRESS[:PORT]", help="What others reach it by."
)
listen_option = click.option(
    "--listen-addr", "listen", default=f"0.0.0.0:{PORT}", metavar="ADDRESS[:PORT]", help="Where it listens."
)


@click.command("init", cls=Verb, examples=(("pyd swarm init --advertise-addr 10.0.0.1", "this is its first manager"),))
@advertise_option
@listen_option
@click.option("--autolock", is_flag=True, help="Managers ask for a key when they start again.")
@click.option("--task-history-limit", type=int, default=5, metavar="N", help="Ended tasks kept for each slot.")
@click.option("--cert-expiry", default="2160h", metavar="TIME", help="How long certificates hold.")
@click.option("--dispatcher-heartbeat", "heartbeat", default="5s", metavar="TIME", help="How often nodes report.")
@pass_state
def init(state: State, /, *, advertise: str, listen: str, **given: Any) -> None:
    """Make a swarm with this engine as its first manager."""
    spec: dict[str, Any] = {}
    _apply(spec, given)

    async def work(engine: EngineClient) -> tuple[str, str, str]:
        node = await engine.swarm.init(advertise=advertise, listen=listen, spec=spec)
        key = await engine.swarm.unlock_key() if given["autolock"] else ""
        return node, (await engine.swarm.inspect()).join_tokens.worker, key

    node, token, key = state.ask(work)
    if state.json:
        write_json({"node": node})
        return
    write(f"Swarm initialized: current node ({safe(node)}) is now a manager.\n\n")
    write(f"To add a worker, run there:\n\n    pyd swarm join --token {safe(token)} {_reached(advertise)}\n\n")
    write("To add a manager, see: pyd swarm join-token manager\n")
    if key:
        write(f"\nKeep this key; `pyd swarm unlock` wants it when a manager starts again:\n\n    {safe(key)}\n")


def _reached(advertise: str) -> str:
    return advertise if ":" in advertise else f"{advertise or 'ADDRESS'}:{PORT}"


@click.command("join", cls=Verb, examples=(("pyd swarm join --token SWMTKN-1-… 10.0.0.1:2377", "as a worker"),))
@click.argument("remote", metavar="HOST:PORT")
@click.option("--token", required=True, help="What join-token shows.")
@advertise_option
@listen_option
@pass_state
def join(state: State, /, *, remote: str, token: str, advertise: str, listen: str) -> None:
    """Join the swarm that a manager at HOST:PORT knows."""
    state.ask(lambda engine: engine.swarm.join([remote], token, advertise=advertise, listen=listen))
    if state.json:
        write_json({"joined": remote})
    else:
        write("This node joined a swarm.\n")


@click.command("leave", cls=Verb, examples=(("pyd swarm leave --force", "also a manager"),))
@click.option("-f", "--force", is_flag=True, help="Also a manager, whatever becomes of the swarm.")
@pass_state
def leave(state: State, /, *, force: bool) -> None:
    """Leave the swarm."""
    state.ask(lambda engine: engine.swarm.leave(force=force))
    if state.json:
        write_json({"left": True})
    else:
        write("Node left the swarm.\n")


@click.command("join-token", cls=Verb, examples=(("pyd swarm join-token -q worker", "the token alone"),))
@click.argument("role", type=click.Choice(("worker", "manager")))
@click.option("-q", "--quiet", is_flag=True, help="Only the token.")
@click.option("--rotate", is_flag=True, help="Make a new one first; the old one is good for nothing then.")
@pass_state
def join_token(state: State, /, *, role: str, quiet: bool, rotate: bool) -> None:
    """Show what a machine needs to join."""

    async def work(engine: EngineClient) -> tuple[str, str]:
        if rotate:
            await engine.swarm.edit(lambda _: None, rotate=role)
        tokens = (await engine.swarm.inspect()).join_tokens
        managers = (await engine.system.info()).swarm.remote_managers or []
        return getattr(tokens, role), managers[0].addr if managers else f"HOST:{PORT}"

    token, address = state.ask(work)
    if state.json:
        write_json({"role": role, "token": token, "address": address})
    elif quiet:
        write(f"{safe(token)}\n")
    else:
        write(f"To add a {role}, run there:\n\n    pyd swarm join --token {safe(token)} {safe(address)}\n")


@click.command("ca", cls=Verb, examples=(("pyd swarm ca", "the root certificate"),))
@click.option("--rotate", is_flag=True, help="Make a new one; nodes get theirs anew.")
@pass_state
def ca(state: State, /, *, rotate: bool) -> None:
    """Show the root certificate of the swarm."""

    def renew(spec: dict[str, Any]) -> None:
        config = spec.setdefault("CAConfig", {})
        config["ForceRotate"] = int(config.get("ForceRotate") or 0) + 1

    async def work(engine: EngineClient) -> str:
        if rotate:
            await engine.swarm.edit(renew)
        return (await engine.swarm.inspect()).tls_info.trust_root

    root = state.ask(work)
    if state.json:
        write_json({"root": root})
    else:
        write("".join(f"{safe(line)}\n" for line in root.strip().split("\n")))


@click.command("update", cls=Verb, examples=(("pyd swarm update --task-history-limit 1", "keep fewer ended tasks"),))
@click.option("--autolock/--no-autolock", default=None, help="Managers ask for a key when they start again.")
@click.option("--task-history-limit", type=int, metavar="N", help="Ended tasks kept for each slot.")
@click.option("--cert-expiry", metavar="TIME", help="How long certificates hold.")
@click.option("--dispatcher-heartbeat", "heartbeat", metavar="TIME", help="How often nodes report.")
@pass_state
def update(state: State, /, **given: Any) -> None:
    """Change the swarm's settings."""
    state.ask(lambda engine: engine.swarm.edit(lambda spec: _apply(spec, given)))
    if state.json:
        write_json({"updated": True})
    else:
        write("Swarm updated.\n")


def _apply(spec: dict[str, Any], given: dict[str, Any]) -> None:
    """Writes what was given into a swarm's spec (Engine API, `SwarmSpec`)."""
    if given["autolock"] is not None:
        spec.setdefault("EncryptionConfig", {})["AutoLockManagers"] = given["autolock"]
    if given["task_history_limit"] is not None:
        spec.setdefault("Orchestration", {})["TaskHistoryRetentionLimit"] = given["task_history_limit"]
    if given["cert_expiry"]:
        spec.setdefault("CAConfig", {})["NodeCertExpiry"] = parse_duration(given["cert_expiry"])
    if given["heartbeat"]:
        spec.setdefault("Dispatcher", {})["HeartbeatPeriod"] = parse_duration(given["heartbeat"])
