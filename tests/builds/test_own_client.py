"""`pyd build`, `bake` and `builder` on pydd and on Docker Engine's BuildKit."""

from __future__ import annotations

import json
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from builds.conftest import Builders
from support.docker import LABEL, Docker, environment

TIMEOUT_S = 120

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["docker", "pydd"])
def engine(request: pytest.FixtureRequest, builders: Builders) -> Docker:
    """Return each engine in turn."""
    chosen: Docker = getattr(builders, request.param)
    return chosen


@pytest.fixture
def pyd(engine: Docker) -> Run:
    """Return a function that runs `pyd` on the engine."""

    def run(*arguments: str, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [executable(), "-H", engine.host, *arguments], env=environment(**variables), input=stdin,
            capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
        )  # fmt: skip

    return run


def executable() -> str:
    import sys

    return str(Path(sys.executable).with_name("pyd"))


@pytest.fixture
def context(builders: Builders, tmp_path: Path) -> Path:
    root = tmp_path / "context"
    (root / "src").mkdir(parents=True)
    (root / "src/a.txt").write_text("a")
    (root / "src/noise.log").write_text("log")
    (root / ".dockerignore").write_text("**/*.log\n")
    (root / "Dockerfile").write_text(
        f"FROM {builders.base} AS builder\nARG WHO=someone\nCOPY src /src\nRUN echo $WHO > /who; ls /src >> /who\n"
        f"FROM {builders.base}\nCOPY --from=builder /who /who\n"
    )
    return root


def label(engine: Docker) -> tuple[str, str]:
    return "--label", f"{LABEL}={engine.prefix}"


def test_a_build_is_kept_cached_and_reported(pyd: Run, engine: Docker, context: Path) -> None:
    image = f"{engine.name('own')}:1"
    first = pyd("build", "-t", image, "--build-arg", "WHO=me", *label(engine), str(context))
    assert first.returncode == 0, first.stderr
    assert engine("run", "--rm", "--network", "none", image, "cat", "/who").split() == ["me", "a.txt"]
    assert "size    " in first.stderr
    again = pyd("build", "-t", image, "--build-arg", "WHO=me", "--json", *label(engine), str(context))
    document = json.loads(again.stdout)
    assert document["Id"] == engine.inspect(image)["Id"]
    assert document["Tags"] == [image]
    ran = [step for step in document["Steps"] if step["Name"].startswith(("RUN", "COPY")) and not step["Cached"]]
    assert ran == []
    (context / "src/a.txt").write_text("changed")
    changed = pyd("build", "-t", image, "--build-arg", "WHO=you", *label(engine), str(context))
    assert "changed since the build" in changed.stderr


def test_results_go_to_directories_and_archives(pyd: Run, engine: Docker, context: Path, tmp_path: Path) -> None:
    done = pyd("build", "-o", str(tmp_path / "out"), str(context))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/who").read_text().split() == ["someone", "a.txt"]
    done = pyd("build", "-o", f"type=tar,dest={tmp_path / 'out.tar'}", str(context))
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "out.tar") as tar:
        assert "who" in tar.getnames()
    archive = tmp_path / "image.tar"
    done = pyd("build", "-t", engine.name("saved"), *label(engine), "-o", f"type=docker,dest={archive}", str(context))
    assert done.returncode == 0, done.stderr
    with tarfile.open(archive) as tar:
        assert "manifest.json" in tar.getnames()


def test_a_layout_is_written_and_is_a_base_and_a_local_cache_spares_the_steps(
    builders: Builders, context: Path, tmp_path: Path
) -> None:
    """Docker Engine's builder has neither without containerd's image store."""
    layout, cache = tmp_path / "layout", tmp_path / "cache"

    def pyd(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [executable(), "-H", builders.pydd.host, *arguments]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
        assert done.returncode == 0, done.stderr
        return done

    local = ("--cache-from", f"type=local,src={cache}", "--cache-to", f"type=local,dest={cache},mode=max")
    pyd("build", "-t", "app:7", "-o", f"type=oci-layout,dest={layout}", *local, str(context))
    (tmp_path / "next").mkdir()
    (tmp_path / "next/Dockerfile").write_text("FROM base\nRUN cat /who > /again\n")
    base = ("--build-context", f"base=oci-layout://{layout}:7")
    pyd("build", *base, "-o", str(tmp_path / "out"), str(tmp_path / "next"))
    assert (tmp_path / "out/again").read_text().split() == ["someone", "a.txt"]
    pyd("builder", "prune", "-af")
    again = json.loads(pyd("build", "--json", *local, "-o", "type=cacheonly", str(context)).stdout)
    ran = [step for step in again["Steps"] if step["Name"].startswith(("RUN", "COPY")) and not step["Cached"]]
    assert ran == []


def test_dockerfiles_and_archives_come_from_standard_input(
    pyd: Run, engine: Docker, builders: Builders, context: Path
) -> None:
    done = pyd("build", "-q", *label(engine), "-", stdin=f"FROM {builders.base}\nRUN true\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sha256:")
    done = pyd("build", "-q", "-f", "-", *label(engine), str(context), stdin=f"FROM {builders.base}\nCOPY src /x\n")
    assert done.returncode == 0, done.stderr
    archive = context.parent / "context.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(context, ".")
    with archive.open("rb") as file:
        piped = subprocess.run(
            [executable(), "-H", engine.host, "build", "-q", *label(engine), "-"], stdin=file, env=environment(),
            capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
        )  # fmt: skip
    assert piped.returncode == 0, piped.stderr


def test_secrets_and_named_contexts_reach_the_step_and_no_layer(
    pyd: Run, engine: Docker, builders: Builders, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("from the other context")
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builders.base}\nCOPY --from=other file /file\n"
        "RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length\n"
    )
    image = engine.name("secret")
    secret = "swordfish-2291"  # noqa: S105 - opens nothing
    done = pyd(
        "build", "-t", image, "--secret", "id=token,env=TOKEN", "--build-context", f"other={tmp_path / 'other'}",
        *label(engine), str(tmp_path), TOKEN=secret,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    output = engine("run", "--rm", "--network", "none", image, "cat", "/length", "/file")
    assert output.split()[0] == str(len(secret))
    assert "from the other context" in output
    saved = subprocess.run(
        ["docker", "save", image], env=environment(DOCKER_HOST=engine.host), capture_output=True, check=True
    )
    assert secret.encode() not in saved.stdout


def test_failures_show_the_place_and_the_reason(pyd: Run, builders: Builders, context: Path) -> None:
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(f"FROM {builders.base}\nRUN echo before; no-such-tool\n")
    failed = pyd("build", str(context))
    assert failed.returncode == 1
    assert "> 2 | RUN echo before; no-such-tool" in failed.stderr
    assert "command-not-found" in failed.stderr
    assert failed.stderr.splitlines()[-1].endswith("[build-failed]")
    dockerfile.write_text(f"FROM {builders.base}\nCOPY src/noise.log /\n")
    failed = pyd("build", str(context))
    assert failed.returncode == 1
    assert "src/noise.log is left out by line 1 of .dockerignore: **/*.log" in failed.stderr
    dockerfile.write_text("FROM scratch\nCOPPY a b\n")
    failed = pyd("build", str(context))
    assert failed.returncode == 1
    assert "> 2 | COPPY a b" in failed.stderr


def test_an_interrupted_build_stops_its_step(engine: Docker, builders: Builders, context: Path) -> None:
    (context / "Dockerfile").write_text(f"FROM {builders.base}\nRUN echo started; sleep 7777\n")
    command = [executable(), "-H", engine.host, "build", "--progress", "plain", str(context)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as build:
        assert build.stderr is not None
        for line in build.stderr:
            if line.endswith(" started\n"):
                break
        build.send_signal(signal.SIGINT)
        build.stderr.read()
        assert build.wait(TIMEOUT_S) == 130
    deadline = time.monotonic() + TIMEOUT_S
    while sleeping("7777"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def sleeping(seconds: str) -> bool:
    return subprocess.run(["pgrep", "-f", f"sleep {seconds}$"], capture_output=True, check=False).returncode == 0


def test_the_history_lists_shows_and_forgets_a_build(pyd: Run, engine: Docker, context: Path) -> None:
    image = engine.name("history")
    built = pyd("build", "-t", image, *label(engine), "--no-cache", "--json", str(context))
    assert built.returncode == 0, built.stderr
    reference = json.loads(built.stdout)["Reference"]
    records = json.loads(pyd("builder", "history", "ls", "--json").stdout)
    [record] = [record for record in records if record["reference"] == reference]
    assert record["status"] == "completed"
    logs = pyd("builder", "history", "logs", record["reference"])
    assert "COPY src /src" in logs.stdout
    shown = json.loads(pyd("builder", "history", "inspect", record["reference"], "--json").stdout)
    assert any("COPY src /src" in step["name"] for step in shown["steps"])
    assert pyd("builder", "history", "rm", record["reference"]).stdout.strip() == record["reference"]
    assert record["reference"] not in pyd("builder", "history", "ls", "-q").stdout
    missing = pyd("builder", "history", "logs", record["reference"])
    assert (missing.returncode, "[no-such-build]" in missing.stderr) == (1, True)


def test_disk_usage_lists_the_cache(pyd: Run, context: Path) -> None:
    assert pyd("build", "-q", str(context)).returncode == 0
    records = json.loads(pyd("builder", "du", "--json").stdout)
    assert any(record["description"] for record in records)
    assert pyd("builder", "du").stdout.splitlines()[-1].startswith("total ")


def test_bake_builds_what_targets_need_first(pyd: Run, engine: Docker, builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low/Dockerfile").write_text(f"FROM {builders.base}\nARG V\nRUN echo $V > /v\n")
    images = engine.name("low"), engine.name("high")
    file = {
        "variable": {"V": {"default": "1"}},
        "target": {
            "default": {
                "dockerfile-inline": "FROM low\nRUN echo high >> /v\n", "context": str(tmp_path),
                "contexts": {"low": "target:low"}, "tags": [images[1]], "labels": {LABEL: engine.prefix},
            },
            "low": {
                "context": str(tmp_path / "low"), "args": {"V": "${V}"}, "tags": [images[0]],
                "labels": {LABEL: engine.prefix},
            },
        },
    }  # fmt: skip
    (tmp_path / "docker-bake.json").write_text(json.dumps(file))
    done = pyd("bake", "-f", str(tmp_path / "docker-bake.json"), "--json", V="5")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"default", "low"}
    assert engine("run", "--rm", "--network", "none", images[1], "cat", "/v").split() == ["5", "high"]
    assert "pyd-bake" not in engine("images")


def test_the_failed_step_is_entered_with_tools_its_files_and_its_mounts(
    pyd: Run, engine: Docker, distroless: Path, context: Path
) -> None:
    done = pyd(
        "build", "--debug-command", "cat /etc/app.cfg; pwd; echo $MODE; diff; try; ls -d /cache", *label(engine),
        str(distroless),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["name=x", "/work", "test"]
    assert "A /left" in lines
    assert "exit code 3" in lines
    assert lines[-1] == "/cache"
    assert "missing-file" in done.stderr


def test_a_failed_step_is_entered_after_the_build_has_ended(
    pyd: Run, engine: Docker, distroless: Path, context: Path
) -> None:
    failed = pyd("build", *label(engine), str(distroless))
    assert failed.returncode == 1
    shown = next(line for line in failed.stderr.splitlines() if line.startswith("enter the step: "))
    target = shown.rpartition(" ")[2]
    entered = pyd("debug", target, "-c", "cat /etc/app.cfg; pwd; ls /left")
    assert entered.stdout.splitlines() == ["name=x", "/work", "/left"], entered.stderr
    assert pyd("debug", "build:", "-c", "pwd").stdout == "/work\n"
    unknown = pyd("debug", "build:nowhere", "-c", "true")
    assert "[no-such-build]" in unknown.stderr


def test_a_step_is_entered_before_it_runs(pyd: Run, engine: Docker, distroless: Path, context: Path) -> None:
    failed = pyd("build", "--on", "8", "--debug-command", "ls /left || echo not yet", *label(engine), str(distroless))
    assert "not yet" in failed.stdout
    unknown = pyd("build", "--on", "nowhere:3", "--debug-command", "true", *label(engine), str(context))
    assert (unknown.returncode, "[no-such-step]" in unknown.stderr) == (1, True)


@pytest.fixture
def distroless(tmp_path: Path) -> Path:
    """Return a context whose last step fails in an image without a shell, because it looks for another file."""
    from support.docker import compile_static

    root = tmp_path / "distroless"
    root.mkdir()
    source = """
#include <stdio.h>
int main(void) {
    fclose(fopen("/left", "w"));
    FILE *f = fopen("/etc/app.conf", "r");
    if (!f) { perror("app: /etc/app.conf"); return 3; }
    puts("configured");
    return 0;
}
"""
    compile_static(source, root / "app")
    (root / "app.c").unlink()
    (root / "app.cfg").write_text("name=x\n")
    (root / "Dockerfile").write_text(
        "FROM scratch AS base\nCOPY app /app\nCOPY app.cfg /etc/app.cfg\n\nFROM base\nENV MODE=test\nWORKDIR /work\n"
        'RUN --mount=type=cache,target=/cache ["/app"]\n'
    )
    return root


def test_in_a_terminal_the_cause_is_found_fixed_and_the_image_is_built(
    engine: Docker, distroless: Path, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s#/etc/app.cfg#/etc/app.conf#" "$2"\n')
    editor.chmod(0o755)
    image = engine.name("mended")
    terminal = pexpect.spawn(
        executable(), ["-H", engine.host, "build", "-t", image, "--debug", *label(engine), str(distroless)],
        env={**environment(), "EDITOR": str(editor), "TERM": "xterm"}, encoding="utf-8", timeout=TIMEOUT_S,
        dimensions=(40, 120),
    )  # fmt: skip
    try:
        terminal.expect(r":/work# ")
        terminal.sendline("ls /etc; stty size")
        terminal.expect(r"app\.cfg")
        terminal.expect("40 120")
        terminal.expect(r":/work# ")
        terminal.sendline("edit")
        terminal.expect("image   ")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close()
    assert terminal.exitstatus == 0
    assert engine.inspect(image)["Config"]["WorkingDir"] == "/work"
