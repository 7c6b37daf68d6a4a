"""The commands of every day, the same list with the same expectations on Docker Engine and on the embedded one."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from support.docker import LABEL, Docker, busybox_files

Step = tuple[str, str] | tuple[str, str, int]
"""A command, a pattern its output must match, and its exit code where that isn't 0."""

RUN = "run --rm --network none {image}"

STEPS: tuple[Step, ...] = (
    ("version --format {{{{.Server.APIVersion}}}}", r"1\.4"),
    ("info --format {{{{.OSType}}}}", "linux"),
    ("images -q {image}", "[0-9a-f]{{12}}"),
    ("image ls --format {{{{.Repository}}}} {image}", "{repo}"),
    ("image inspect -f {{{{.Os}}}} {image}", "linux"),
    ("history -q {image}", "[0-9a-f]{{12}}"),
    ("tag {image} {repo}:two", ""),
    ("rmi {repo}:two", "Untagged: {repo}:two"),
    ("rmi {repo}:nosuch", "No such image", 1),
    (RUN + " echo hello", "hello"),
    (RUN + " false", "", 1),
    (RUN + " sh -c 'exit 42'", "", 42),
    (RUN + " nosuch", "not found", 127),
    ("run --rm --network none -e A=b {image} env", "A=b"),
    ("run --rm --network none -w /tmp {image} pwd", "/tmp"),
    ("run --rm --network none -u 7:8 {image} id", "uid=7 gid=8"),
    ("run --rm --network none -h box {image} hostname", "box"),
    ("run --rm --pull never --platform linux/s390x {image} true", "does not match the specified platform", 125),
    ("run --rm --network none --platform linux/amd64 {image} echo same", "same"),
    ("run --rm --network none --entrypoint echo {image} over", "over"),
    ("run --rm --network none --add-host there:10.9.8.7 {image} cat /etc/hosts", r"10\.9\.8\.7\s+there"),
    ("run --rm --network none --read-only {image} touch /x", "Read-only", 1),
    ("run --rm --network none --tmpfs /t:size=1m {image} df -k /t", "1024"),
    ("run --rm --network none --cap-drop ALL {image} chown 1 /tmp", "not permitted", 1),
    ("run --rm --network none --privileged {image} sh -c 'ls /dev | wc -l'", r"\d\d"),
    ("run --rm --network none --security-opt no-new-privileges {image} grep NoNewPrivs /proc/self/status", "1"),
    ("run --rm --network none --ulimit nofile=77:88 {image} sh -c 'ulimit -n'", "77"),
    ("run --rm --network none --sysctl kernel.msgmax=9000 {image} cat /proc/sys/kernel/msgmax", "9000"),
    ("run --rm --network none --shm-size 2m {image} df -k /dev/shm", "2048"),
    ("run --rm --network none --oom-score-adj 99 {image} cat /proc/self/oom_score_adj", "99"),
    ("run --rm --network none --pid host {image} sh -c 'ps | wc -l'", r"\d\d"),
    ("run --rm --network host {image} sh -c 'ls /sys/class/net'", "lo"),
    ('run --rm --init --network none {image} sh -c \'tr "\\0" " " < /proc/1/cmdline\'', "init|tini"),
    ("run -d --name {c}1 --network none --label {label} {image} sleep 1000", "[0-9a-f]{{64}}"),
    ("ps -q --filter name={c}1", "[0-9a-f]{{12}}"),
    ("ps --filter name={c}1 --format {{{{.Status}}}}", "Up"),
    ("ps --filter label={label} --format {{{{.Names}}}}", "{c}1"),
    ("container ls --filter status=running --filter name={c}1 -q", "[0-9a-f]{{12}}"),
    ("inspect -f {{{{.State.Running}}}} {c}1", "true"),
    ("inspect -f {{{{.HostConfig.NetworkMode}}}} {c}1", "none"),
    ("exec {c}1 echo inside", "inside"),
    ("exec -e X=y {c}1 sh -c 'echo $X'", "y"),
    ("exec {c}1 sh -c 'exit 5'", "", 5),
    ("exec {c}1 sh -c nosuch", "not found", 127),
    ("exec -u nosuch {c}1 true", "unable to find user nosuch", 126),
    ("exec -d -u nosuch {c}1 true", "unable to find user nosuch", 1),
    ("exec -d {c}1 sh -c 'echo late > /tmp/late'", ""),
    ("top {c}1", "sleep 1000"),
    ("top {c}1 -o pid,comm", "sleep"),
    ("stats --no-stream --format {{{{.Name}}}} {c}1", "{c}1"),
    ("pause {c}1", "{c}1"),
    ("ps --filter name={c}1 --format {{{{.State}}}}", "paused"),
    ("exec {c}1 true", "paused", 1),
    ("unpause {c}1", "{c}1"),
    ("rename {c}1 {c}2", ""),
    ("inspect {c}1", "No such object", 1),
    ("update --memory 64m --memory-swap 128m {c}2", "{c}2"),
    ("inspect -f {{{{.HostConfig.Memory}}}} {c}2", "67108864"),
    ("update --restart nosuch {c}2", "unknown policy", 1),
    ("update --restart on-failure:3 {c}2", "{c}2"),
    ("inspect -f {{{{.HostConfig.RestartPolicy.MaximumRetryCount}}}} {c}2", "3"),
    ("update --restart no {c}2", "{c}2"),
    ("cp {file} {c}2:/tmp/copied", ""),
    ("exec {c}2 cat /tmp/copied", "from the host"),
    ("cp {c}2:/tmp/copied {file}.back", ""),
    ("diff {c}2", "A /tmp/copied"),
    ("commit -m why {c}2 {repo}:snap", "sha256:"),
    ("run --rm --network none {repo}:snap cat /tmp/copied", "from the host"),
    ("rmi {repo}:snap", "Deleted: sha256:"),
    ("kill -s USR1 {c}2", "{c}2"),
    ("kill {c}2", "{c}2"),
    ("wait {c}2", "137"),
    ("start {c}2", "{c}2"),
    ("restart -t 0 {c}2", "{c}2"),
    ("stop -t 0 {c}2", "{c}2"),
    ("inspect -f {{{{.State.ExitCode}}}} {c}2", "137"),
    ("ps -a --filter status=exited --filter name={c}2 -q", "[0-9a-f]{{12}}"),
    ("logs {c}2", ""),
    ("rm {c}2", "{c}2"),
    ("rm {c}2", "No such container", 1),
    ("create --name {c}3 --network none --label {label} {image} echo made", "[0-9a-f]{{64}}"),
    ("start -a {c}3", "made"),
    ("logs {c}3", "made"),
    ("logs -t {c}3", r"Z made"),
    ("create --name {c}3 {image}", "already in use", 1),
    ("rm -f {c}3", "{c}3"),
    ("volume create --label {label} {c}v", "{c}v"),
    ("volume ls -q --filter name={c}v", "{c}v"),
    ("volume inspect -f {{{{.Driver}}}} {c}v", "local"),
    ("run --rm --network none -v {c}v:/d {image} sh -c 'echo kept > /d/f'", ""),
    ("run --rm --network none --mount type=volume,src={c}v,dst=/d,readonly {image} cat /d/f", "kept"),
    ("volume rm {c}v", "{c}v"),
    ("volume rm {c}v", "no such volume", 1),
    ("network create --label {label} {c}n", "[0-9a-f]{{64}}"),
    ("network ls -q --filter name={c}n", "[0-9a-f]{{12}}"),
    ("network inspect -f {{{{.Driver}}}} {c}n", "bridge"),
    ("run -d --name {c}4 --network {c}n --label {label} {image} sleep 1000", "[0-9a-f]{{64}}"),
    ("run --rm --network {c}n {image} ping -c 1 -W 5 {c}4", "1 packets received"),
    ("network rm {c}n", "active endpoints", 1),
    ("network disconnect {c}n {c}4", ""),
    ("network connect {c}n {c}4", ""),
    ("run --rm --network {c}n {image} ping -c 1 -W 5 {c}4", "1 packets received"),
    ("rm -f {c}4", "{c}4"),
    ("network rm {c}n", "{c}n"),
    ("system df", "Images"),
)


@pytest.mark.timeout(900)  # on a busy machine
def test_the_commands_of_every_day(both: Docker, tmp_path: Path):
    image = both.image("everyday", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    file = tmp_path / "file"
    file.write_text("from the host\n")
    words = {
        "image": image,
        "repo": image.rpartition(":")[0],
        "c": both.name("c"),
        "file": str(file),
        "label": f"{LABEL}={both.prefix}",
    }
    wrong: list[str] = []
    for step in STEPS:
        command, pattern = step[0].format(**words), step[1].format(**words)
        expected = step[2] if len(step) == 3 else 0
        line = ["docker", "-H", both.host, *shlex.split(command)]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
        printed = done.stdout + done.stderr
        if done.returncode != expected or not re.search(pattern, printed):
            difference = f"exit {done.returncode}, expected {expected}; {printed.strip()[:300]!r}, expected {pattern!r}"
            wrong.append(f"{command}\n  {difference}")
    assert len(STEPS) >= 80
    assert wrong == [], "\n".join(wrong)
