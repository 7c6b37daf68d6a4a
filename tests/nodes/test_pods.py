from __future__ import annotations

import gzip
import json
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from support.node.containerd import Containerd
from support.pyd import Run

TALKER = ["sh", "-c", "echo one; echo two >&2; exec sleep 1000"]


def web(node: Containerd, command: list[str] | None = None, *, memory: int = 0) -> str:
    return node.container(node.pod("web"), "web", "app", command or TALKER, memory=memory)


def output_of(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_lists_and_inspects_the_containers_of_pods(node: Containerd, pyd: Run):
    identity = web(node, memory=64 << 20)
    (entry,) = json.loads(output_of(pyd("ps", "--json")))
    assert (entry["name"], entry["state"]) == ("shop/web/app", "running")
    (container,) = json.loads(output_of(pyd("inspect", "shop/web/app")))
    assert container["Id"] == identity
    assert container["HostConfig"]["Memory"] == 64 << 20
    assert "COLOUR=green" in container["Config"]["Env"]
    assert container["Config"]["WorkingDir"] == "/srv"
    assert "containerd" in output_of(pyd("version"))


def test_reads_both_outputs_of_a_log_by_lines_and_streams(node: Containerd, pyd: Run):
    web(node, ["sh", "-c", "echo one; echo two >&2; echo three"])
    until_exited(pyd)
    assert sorted(output_of(pyd("logs", "shop/web/app")).split()) == ["one", "three", "two"]
    assert output_of(pyd("logs", "--json", "shop/web/app")).count('"stderr"') == 1
    # containerd copies the two streams side by side: only its file has their order.
    last = (node.logs / "web" / "app.log").read_text().split()[-1]
    assert output_of(pyd("logs", "--tail", "1", "shop/web/app")).split() == [last]


def until_exited(pyd: Run) -> None:
    for _ in range(200):
        (entry,) = json.loads(output_of(pyd("ps", "-a", "--json")))
        if entry["state"] == "exited":
            return
    raise AssertionError("it still runs")


def test_the_list_has_the_exit_codes_of_what_has_ended(node: Containerd, pyd: Run):
    web(node, ["sh", "-c", "exit 3"])
    until_exited(pyd)
    (entry,) = json.loads(output_of(pyd("ps", "-a", "--json")))
    assert entry["exit_code"] == 3


def test_rotated_and_compressed_logs_are_read_in_their_order(node: Containerd, pyd: Run):
    web(node, ["sh", "-c", "echo new"])
    until_exited(pyd)
    directory = node.logs / "web"
    old = b"2026-01-01T00:00:00.000000000Z stdout F oldest\n"
    (directory / "app.log.20260101-000000.gz").write_bytes(gzip.compress(old))
    piece = b"2026-01-02T00:00:00.000000000Z stdout P long-\n2026-01-02T00:00:00.000000001Z stdout F line\n"
    (directory / "app.log.20260102-000000").write_bytes(piece)
    assert output_of(pyd("logs", "shop/web/app")).split() == ["oldest", "long-line", "new"]
    assert output_of(pyd("logs", "--since", "2026-01-01T12:00:00Z", "shop/web/app")).split() == ["long-line", "new"]


def test_following_a_log_survives_its_rotation_and_ends_with_the_container(node: Containerd, pyd: Run, tmp_path: Path):
    identity = web(node, ["sh", "-c", "echo first; exec sleep 1000"])
    path = node.logs / "web" / "app.log"
    with subprocess.Popen(
        [pyd.pyd, "logs", "-f", "shop/web/app"], env=pyd.env, stdout=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "first\n"
        path.rename(path.with_name("app.log.20260101-000000"))
        path.write_bytes(b"2026-01-01T00:00:00.000000000Z stdout F second\n")
        assert follower.stdout.readline() == "second\n"
        node.stop(identity)
        follower.terminate()
        follower.wait(20)


def test_a_log_that_leads_elsewhere_is_refused(node: Containerd, pyd: Run, tmp_path: Path):
    web(node)
    secret = tmp_path / "secret"
    secret.write_text("2026-01-01T00:00:00.000000000Z stdout F stolen\n")
    path = node.logs / "web" / "app.log"
    path.unlink()
    path.symlink_to(secret)
    done = pyd("logs", "shop/web/app")
    assert done.returncode == 125
    assert "stolen" not in done.stdout
    assert "the log can't be read" in done.stderr


def test_runs_commands_with_their_streams_and_exit_codes(node: Containerd, pyd: Run):
    web(node)
    assert output_of(pyd("exec", "shop/web/app", "sh", "-c", "echo $COLOUR; pwd")).split() == ["green", "/srv"]
    assert pyd("exec", "shop/web/app", "sh", "-c", "echo bad >&2; exit 7").returncode == 7
    assert output_of(pyd("exec", "-i", "shop/web/app", "cat", stdin=b"x" * 300_000)) == "x" * 300_000
    assert pyd("exec", "shop/web/app", "nothing-like-this").returncode in {126, 127}
    refused = pyd("--read-only", "exec", "shop/web/app", "true")
    assert (refused.returncode, "read-only" in refused.stderr) == (125, True)


def test_measures_and_lists_processes_and_copies_files(node: Containerd, pyd: Run):
    web(node)
    assert "shop/web/app" in output_of(pyd("stats", "--no-stream"))
    assert "sleep 1000" in output_of(pyd("top", "shop/web/app"))
    done = subprocess.run(
        [pyd.pyd, "cp", "shop/web/app:/etc", "-"], env=pyd.env, capture_output=True, timeout=60, check=True
    )
    with tarfile.open(fileobj=BytesIO(done.stdout)) as tar:
        assert "etc/passwd" in tar.getnames()


def test_enters_a_running_container_without_a_trace_in_the_runtime(node: Containerd, pyd: Run):
    web(node)
    before = node.ctr("containers", "ls", "-q", namespace="k8s.io"), node.ctr("leases", "ls", namespace="k8s.io")
    seen = output_of(pyd("debug", "shop/web/app", "-c", "cat /proc/1/comm; pwd; ls -d /dev/.pyd/bin"))
    assert seen.startswith("sleep")
    assert seen.split()[1:] == ["/srv", "/dev/.pyd/bin"]
    after = node.ctr("containers", "ls", "-q", namespace="k8s.io"), node.ctr("leases", "ls", namespace="k8s.io")
    assert after == before


def test_enters_a_stopped_container_by_its_snapshot_and_ends_the_lease(node: Containerd, pyd: Run):
    web(node, ["sh", "-c", "echo left > /srv/note; exit 3"])
    until_exited(pyd)
    assert "left" in output_of(pyd("debug", "shop/web/app", "-c", "cat /srv/note"))
    assert "pyd" not in node.ctr("leases", "ls", namespace="k8s.io")


def test_explains_a_death_by_memory(node: Containerd, pyd: Run):
    web(node, ["sh", "-c", "x=a; while :; do x=$x$x; done"], memory=16 << 20)
    until_exited(pyd)
    verdict = json.loads(pyd("triage", "--json", "shop/web/app").stdout)
    causes = verdict["cause"] if isinstance(verdict, dict) else verdict[0]["cause"]
    assert causes.startswith("oom")


def test_what_only_engines_do_is_refused_in_one_line(node: Containerd, pyd: Run):
    web(node)
    for command in (("stop", "shop/web/app"), ("network", "ls"), ("rm", "-f", "shop/web/app")):
        done = pyd(*command)
        assert done.returncode == 1
        assert "is a node: it doesn't offer" in done.stderr
