"""Making, running and changing containers by the command line, on a real engine."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import tarfile
from pathlib import Path

from support.docker import LABEL, Docker
from support.pyd import Run
from support.terminal import Opener


def _mine(docker: Docker) -> tuple[str, ...]:
    return ("--label", f"{LABEL}={docker.prefix}", "--network", "none")


def test_run_passes_input_output_errors_and_exit_code_on(run: Run, docker: Docker, busybox: str):
    mine = (*_mine(docker), "--label", "pyd.gone=yes")
    done = run("run", "--rm", *mine, busybox, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert run("run", "--rm", "-i", *mine, busybox, "cat", stdin=b"\0piped\n").stdout == "\0piped\n"
    options = ("-e", "A=1", "-w", "/tmp", "-h", "host-a", "--read-only", "-u", "7")
    line = "echo $A $PWD; hostname; id -u; touch /x"
    done = run("run", "--rm=true", *options, *mine, busybox, "sh", "-c", line)
    assert done.stdout == "1 /tmp\nhost-a\n7\n"
    assert "Read-only file system" in done.stderr

    missing = run("run", "--rm", *mine, busybox, "no-such-program")
    assert missing.returncode == 127
    assert "no-such-program" in missing.stderr
    assert run("run", "--rm", *mine, busybox, "/etc").returncode == 126
    nowhere = run("run", "--rm", "--pull", "never", *mine, f"{docker.prefix}/no-such-image")
    assert nowhere.returncode == 125
    assert "no such image" in nowhere.stderr.lower()
    assert run("run", "--memory", "lots", busybox).returncode == 125
    assert docker("ps", "-aq", "-f", f"label={LABEL}={docker.prefix}", "-f", "label=pyd.gone=yes") == ""


def test_signals_reach_the_container_and_not_its_client(run: Run, docker: Docker, busybox: str):
    name = docker.name("signals")
    line = "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    command: list[str | Path] = [run.pyd, "run", "--rm", "--name", name, *_mine(docker), busybox, "sh", "-c", line]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=run.env) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"ready\n"
        client.send_signal(signal.SIGTERM)
        assert client.stdout.read() == b"got it\n"
        assert client.wait() == 3


def test_a_container_is_changed_copied_and_made_an_image_of(run: Run, docker: Docker, busybox: str, tmp_path: Path):
    first, name = docker.name("run-first"), docker.name("run-worked-on")
    id_file = tmp_path / "id"
    output = run("run", "-d", "--cidfile", str(id_file), "--name", first, *_mine(docker), busybox, "sleep", "600")
    assert output.stdout.strip() == id_file.read_text() == docker.inspect(first)["Id"]
    again = run("create", "--cidfile", str(id_file), *_mine(docker), busybox)
    assert again.returncode == 125
    assert "exists" in again.stderr

    assert run("rename", first, name).stdout == f"{first}\n"
    assert run("update", "--memory", "64m", "--memory-swap", "96m", "--restart", "on-failure:2", name).returncode == 0
    host = docker.inspect(name)["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (64 * 2**20, 96 * 2**20)
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}

    tree = tmp_path / "tree/below"
    tree.mkdir(parents=True)
    (tree / "file").write_text("content\n")
    (tree / "link").symlink_to("file")
    assert run("cp", str(tmp_path / "tree"), f"{name}:/copied").returncode == 0
    assert run("cp", f"{tmp_path / 'tree'}/.", f"{name}:/copied/again").returncode == 0
    assert docker("exec", name, "cat", "/copied/below/link", "/copied/again/below/file") == "content\ncontent"
    assert run("cp", f"{name}:/copied", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back/below/link").readlink() == Path("file")
    assert (tmp_path / "back/below/file").read_text() == "content\n"
    done = subprocess.run([run.pyd, "cp", f"{name}:/copied/below", "-"], env=run.env, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert sorted(tar.getnames()) == ["below", "below/file", "below/link"]
    assert run("cp", "-", f"{name}:/copied", stdin=done.stdout).returncode == 0
    refused = run("cp", str(tmp_path), f"{name}:/copied/below/file")
    assert refused.returncode == 2
    assert "over a file" in refused.stderr
    assert run("cp", f"{name}:/no/such", str(tmp_path)).returncode == 1
    assert run("cp", "a", "b").returncode == 2

    changes = run("diff", name).stdout.splitlines()
    assert "A /copied" in changes
    assert {"Path": "/copied", "Kind": 1} in json.loads(run("diff", "--json", name).stdout)
    image = f"{docker.name('committed')}:1"
    run("commit", "-m", "worked on", "-c", 'CMD ["cat", "/copied/below/file"]', name, image)
    assert run("run", "--rm", *_mine(docker), image).stdout == "content\n"
    assert run("export", "-o", str(tmp_path / "all.tar"), name).returncode == 0
    with tarfile.open(tmp_path / "all.tar") as tar:
        assert "copied/below/file" in tar.getnames()
    assert run("rm", "-f", name).returncode == 0


def test_a_terminal_is_given_left_by_keys_and_attached_to_again(
    run: Run, docker: Docker, busybox: str, terminal: Opener
):
    name = docker.name("terminal")
    command: list[str | Path] = [run.pyd, "run", "-it", "--name", name, *_mine(docker), busybox, "sh"]
    shell = terminal(command, env=run.host)
    shell.wait_for("#")
    shell.type("stty size; echo a''b")
    shell.keys("Enter")
    shell.wait_for("40 120")
    shell.wait_for("ab")
    shell.keys("C-p", "C-q")
    shell.wait_for("keeps running")
    assert docker.inspect(name)["State"]["Running"]
    again = terminal([run.pyd, "attach", name], env=run.host)
    again.wait_for("#")
    again.type("echo c''d; exit 5")
    again.keys("Enter")
    again.wait_for("cd")
    assert docker("wait", name) == "5"
    stopped = run("attach", name)
    assert stopped.returncode == 125
    assert "isn't running" in stopped.stderr
    docker("rm", name)


def test_ports_are_told_as_docker_tells_them(run: Run, docker: Docker, distroless: str):
    network = docker.name("ports")
    label = ("--label", f"{LABEL}={docker.prefix}")
    output = run("network", "create", *label, network)
    assert output.returncode == 0
    name = docker.name("published")
    options = ("--name", name, *label, "--network", network, "-p", "127.0.0.1::80", "-p", "127.0.0.1::53/udp")
    assert run("run", "-d", *options, distroless).returncode == 0
    assert run("port", name).stdout == docker("port", name) + "\n"
    assert run("port", name, "80").stdout == docker("port", name, "80") + "\n"
    assert run("port", name, "81").returncode == 1
    form = "{{.Names}} {{.Ports}} {{.Networks}}"
    chosen = ("-f", f"name={name}", "--format", form)
    assert run("ps", *chosen).stdout == docker("ps", *chosen) + "\n"
    assert run("network", "disconnect", network, name).returncode == 0
    assert run("network", "connect", "--alias", "other", network, name).returncode == 0
    assert "other" in docker.inspect(name)["NetworkSettings"]["Networks"][network]["Aliases"]
    assert run("rm", "-f", name).returncode == 0
    assert run("network", "rm", network).stdout == f"{network}\n"
    assert run("network", "rm", network).returncode == 1
