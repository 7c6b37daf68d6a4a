"""A containerd of the tests' own: root, state and socket in a directory of theirs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.node.cri_requests import call, container_config, first_text, message, sandbox_config
from support.node.images import write_image

IMAGE = "docker.io/pyd/box:1"
START_TIMEOUT_S = 60

CONFIG = """version = 2
root = "{directory}/root"
state = "{directory}/state"
[grpc]
address = "{directory}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{image}"
restrict_oom_score_adj = true
"""


class Containerd:
    """A running containerd.

    Args:
        directory: Everything that it writes.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "containerd.sock"
        self.logs = directory / "pods"
        self._pods: list[str] = []

    def ctr(self, *arguments: str, namespace: str = "default", check: bool = True) -> str:
        """Run a command of `ctr`, and return its output."""
        command = ["ctr", "-a", str(self.socket), "-n", namespace, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def pod(self, name: str) -> str:
        """Create a pod and return its sandbox's id."""
        shutil.rmtree(self.logs / name, ignore_errors=True)
        config = sandbox_config(name, str(self.logs / name))
        sandbox = first_text(asyncio.run(call(str(self.socket), "RunPodSandbox", (1, config))))
        self._pods.append(sandbox)
        return sandbox

    def container(
        self, sandbox: str, pod: str, name: str, command: Sequence[str], *, memory: int = 0, tty: bool = False
    ) -> str:
        """Create and start a container in a pod, and return its id."""
        config = container_config(name, IMAGE, command, pod=pod, memory=memory, tty=tty)
        about = sandbox_config(pod, str(self.logs / pod))
        created = asyncio.run(call(str(self.socket), "CreateContainer", (1, sandbox), (2, config), (3, about)))
        identity = first_text(created)
        asyncio.run(call(str(self.socket), "StartContainer", (1, identity)))
        return identity

    def stop(self, identity: str) -> None:
        """Kill a container as the kubelet does after its grace."""
        asyncio.run(call(str(self.socket), "StopContainer", (1, identity), (2, 0)))

    def await_image(self, name: str) -> None:
        """Wait until the CRI, which follows containerd's events, has a name of an image."""
        spec = message((1, name))
        while not asyncio.run(call(str(self.socket), "ImageStatus", (1, spec), service="ImageService")):
            time.sleep(0.02)  # the CRI has no events of images

    def remove_all(self) -> None:
        """Remove pods and containers."""
        for sandbox in self._pods:
            for method in ("StopPodSandbox", "RemovePodSandbox"):
                with contextlib.suppress(Exception):
                    asyncio.run(call(str(self.socket), method, (1, sandbox)))
        self._pods.clear()
        for namespace in ("default", "k8s.io"):
            for task in self.ctr("tasks", "ls", "-q", namespace=namespace, check=False).split():
                self.ctr("tasks", "rm", "-f", task, namespace=namespace, check=False)
            for container in self.ctr("containers", "ls", "-q", namespace=namespace, check=False).split():
                self.ctr("containers", "rm", container, namespace=namespace, check=False)


@contextlib.contextmanager
def running_containerd() -> Iterator[Containerd]:
    """Run a containerd with its CRI, and an image in the namespaces `default` and `k8s.io`."""
    directory = Path(tempfile.mkdtemp(prefix="pyd-node-", dir="/var/tmp"))
    (directory / "config.toml").write_text(CONFIG.format(directory=directory, image=IMAGE))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["containerd", "-c", str(directory / "config.toml")], stdout=log, stderr=log, process_group=0
        )
        runtime = Containerd(directory)
        try:
            _wait(runtime, process)
            write_image(directory / "image.tar", IMAGE)
            for namespace in ("default", "k8s.io"):
                runtime.ctr("images", "import", str(directory / "image.tar"), namespace=namespace)
            yield runtime
        finally:
            runtime.remove_all()
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            shutil.rmtree(directory, ignore_errors=True)


def _wait(runtime: Containerd, process: subprocess.Popen[bytes]) -> None:
    """Wait until the CRI answers: containerd says when its socket does."""
    log = runtime.directory / "log"
    with subprocess.Popen(["tail", "-n+1", "-F", str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tail:
        try:
            assert tail.stdout is not None
            for line in tail.stdout:
                if b"successfully booted" in line:
                    return
                assert process.poll() is None, line.decode()
        finally:
            tail.kill()
