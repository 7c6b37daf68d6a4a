"""`pyd port-forward`."""

from __future__ import annotations

import sys

import click

from pyd_core.errors import Unsupported
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "port-forward",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd port-forward pod/web 8080:80", "forward this machine's port 8080 to port 80 of a pod"),
        ("pyd port-forward deploy/api :8000", "forward a free local port to a pod of a workload"),
    ),
)
@click.argument("target", metavar="TARGET")
@click.argument("ports", nargs=-1, required=True, metavar="[LOCAL:]PORT...")
@click.option("--address", default="127.0.0.1", show_default=True, help="Local address to listen on.")
@pass_state
def command(state: State, /, *, target: str, ports: tuple[str, ...], address: str) -> int:
    """Forward local ports to a pod of a cluster, until interrupted."""
    import asyncio

    from pyd_core.kube.port_forward import parse_ports
    from pyd_tui.cli.debug.cluster import cluster_endpoint

    pairs = [parse_ports(text) for text in ports]
    endpoint = cluster_endpoint(state, target)
    if endpoint is None:
        raise Unsupported("only a cluster's pods have ports to forward", hint="-H kube://CONTEXT/NAMESPACE")

    async def run() -> None:
        from pyd_core.debug.pod.target import find_target
        from pyd_core.kube.cluster_client import ClusterClient
        from pyd_core.kube.port_forward import forward_ports
        from pyd_core.kube.subject import parse_subject
        from pyd_core.sanitise import safe

        async with ClusterClient(endpoint, may_ask=sys.stderr.isatty()) as engine:
            pod = (await find_target(engine, parse_subject(target))).pod

            def report(text: str) -> None:
                sys.stderr.write(f"pyd: {safe(text)}\n")

            async with forward_ports(engine.cluster, pod, pairs, address=address, on_error=report) as taken:
                for pair in taken:
                    report(f"{address}:{pair.local} leads to port {pair.remote} of {pod.metadata.name}")
                await asyncio.Event().wait()

    asyncio.run(run())
    return 0
