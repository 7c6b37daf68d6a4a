"""Caches, layouts and ssh agents with the real clients on pydd."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from builds.conftest import Builders
from builds.test_outputs import buildx
from support.docker import environment
from support.registry import Registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Registry.started(tmp_path_factory.mktemp("registry")) as registry:
        yield registry.address


@pytest.fixture
def stages(builders: Builders, tmp_path: Path) -> Path:
    """Return a context whose last stage copies from another, and whose steps are of this test only."""
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builders.base} AS first\nRUN echo {tmp_path} > /one\n"
        f"FROM {builders.base}\nCOPY --from=first /one /one\nRUN cat /one > /two\n"
    )
    return tmp_path


def cached_steps(progress: str) -> int:
    return progress.count(" CACHED\n")


def test_an_inline_cache_of_a_build_without_cache_serves_the_last_stage(
    builders: Builders, registry: str, stages: Path
) -> None:
    name = f"{registry}/inline:1"
    assert buildx(builders, stages, "--no-cache").returncode == 0
    pushed = buildx(builders, stages, "--cache-to", "type=inline", "--push", "-t", name)
    assert pushed.returncode == 0, pushed.stderr
    builders.pydd("rmi", name)
    builders.pydd("image", "prune", "-f")
    builders.pydd("builder", "prune", "-af")
    again = buildx(builders, stages, "--cache-from", name)
    assert again.returncode == 0, again.stderr
    assert cached_steps(again.stderr) == 2


@pytest.mark.parametrize("kind", ["registry", "local"])
def test_an_exported_cache_serves_all_stages(builders: Builders, registry: str, stages: Path, kind: str) -> None:
    target, source = f"type=registry,ref={registry}/cache:1", f"type=registry,ref={registry}/cache:1"
    if kind == "local":
        directory = stages.parent / f"{stages.name}-cache"
        target, source = f"type=local,dest={directory}", f"type=local,src={directory}"
    built = buildx(builders, stages, "--cache-to", f"{target},mode=max")
    assert built.returncode == 0, built.stderr
    builders.pydd("image", "prune", "-f")
    builders.pydd("builder", "prune", "-af")
    again = buildx(builders, stages, "--cache-from", source)
    assert again.returncode == 0, again.stderr
    assert cached_steps(again.stderr) == 3


def test_a_layout_is_filled_and_is_a_base_afterwards(builders: Builders, stages: Path) -> None:
    layout = stages.parent / f"{stages.name}-layout"
    built = buildx(builders, stages, "-o", f"type=oci,dest={layout},tar=false")
    assert built.returncode == 0, built.stderr
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    (stages / "Dockerfile").write_text("FROM base\nRUN cat /two\n")
    again = buildx(builders, stages, "--build-context", f"base=oci-layout://{layout}@{digest}")
    assert again.returncode == 0, again.stderr
    assert str(stages) in again.stderr


def test_a_step_uses_the_keys_of_a_real_agent_and_no_layer_has_its_socket(builders: Builders, tmp_path: Path) -> None:
    program = shutil.which("ssh-add")
    assert program is not None
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.split()
    for path in [program, *(word for word in libraries if word.startswith("/"))]:
        target = tmp_path / "root" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builders.base}\nCOPY root/ /\nRUN --mount=type=ssh {program} -l > /keys\n"
        "RUN ls -aR /run > /left 2>&1 || true\n"
    )
    key = tmp_path.parent / f"{tmp_path.name}-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "of-the-test", "-f", key], check=True)
    address = tmp_path.parent / f"{tmp_path.name}-agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", address], stdout=subprocess.PIPE) as agent:
        try:
            assert agent.stdout is not None
            agent.stdout.readline()  # it listens
            variables = environment(SSH_AUTH_SOCK=str(address))
            subprocess.run(["ssh-add", "-q", key], env=variables, check=True)
            command = ["docker", "buildx", "build", "--ssh", f"default={address}", "-o", str(tmp_path / "out"), "."]
            built = subprocess.run(
                command,
                cwd=tmp_path,
                env=environment(DOCKER_HOST=builders.pydd.host),
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            agent.terminate()
    assert built.returncode == 0, built.stderr
    assert "of-the-test" in (tmp_path / "out/keys").read_text()
    assert "ssh" not in (tmp_path / "out/left").read_text()
    refused = buildx(builders, tmp_path, "--no-cache")
    assert "unset ssh forward key default" in refused.stderr
