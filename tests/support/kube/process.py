"""A scripted cluster in a process of its own, for the programs that a test starts.

`python -m support.kube.process DIRECTORY [ENGINE IMAGE]` serves all recorded states, or runs pods on an engine with an
image for their sandboxes. It writes `DIRECTORY/config`, and then prints its address. Each line of its input is a name
of a method of the cluster and its arguments, as JSON; it answers each with a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from support.kube.container_runtime import ContainerRuntime
from support.kube.controllers import Controllers
from support.kube.engine_kubelet import EngineKubelet
from support.kube.engine_runtime import EngineRuntime
from support.kube.kubelet import ScriptedKubelet
from support.kube.pod_status import node
from support.kube.records import state_names
from support.kube.server import ScriptedCluster


class ClusterProcess:
    """The cluster's process, as a test sees it.

    Attributes:
        kubeconfig: The path of its kubeconfig.
        address: The address of the API server.
    """

    def __init__(self, process: subprocess.Popen[str], kubeconfig: Path, address: str) -> None:
        self._process = process
        self.kubeconfig = kubeconfig
        self.address = address

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the cluster, or read an attribute, and return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def scripted_cluster(directory: Path, *engine: str) -> Iterator[ClusterProcess]:
    """Run a cluster for as long as the block lasts.

    Args:
        directory: Where its kubeconfig is written.
        engine: The address of an engine that runs its pods, and the image of their sandboxes; without one, the
            cluster has all recorded states.
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-m", "support.kube.process", str(directory), *engine],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            yield ClusterProcess(process, directory / "config", process.stdout.readline().strip())
        finally:
            if process.stdin is not None:
                process.stdin.close()  # it removes its containers before it ends


async def serve(directory: Path, *engine: str) -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with ScriptedCluster() as cluster, Controllers(cluster), AsyncExitStack() as stack:
        for namespace in ("default", "kube-system", "states"):
            cluster.objects.put("namespaces", {"metadata": {"name": namespace}, "status": {"phase": "Active"}})
        cluster.objects.put("nodes", node())
        kubelet: ScriptedKubelet | EngineKubelet
        if engine:
            host, image = engine
            kubelet = EngineKubelet(cluster, ContainerRuntime(host), image)
            stack.push_async_callback(kubelet.aclose)
        else:
            kubelet = ScriptedKubelet(cluster)
            if "SCRIPTED_CLUSTER_DOCKER" in os.environ:
                docker = os.environ["SCRIPTED_CLUSTER_DOCKER"].split()
                cluster.runtime = kubelet.runtime = EngineRuntime(cluster.stored_logs, docker)
            for name in state_names():
                cluster.load_state(name)
        cluster.kubeconfig(directory / "config", namespace="states")
        sys.stdout.write(f"{cluster.url}\n")
        sys.stdout.flush()
        while line := await reader.readline():
            method, *arguments = json.loads(line)
            subject = kubelet if hasattr(kubelet, method) else cluster
            result = getattr(subject, method)
            if callable(result):
                result = result(*arguments)
                result = await result if asyncio.iscoroutine(result) else result
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *sys.argv[2:]))
