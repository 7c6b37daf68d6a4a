"""Random content of containers and images: no host is reached, nothing hangs, nothing raw gets to a terminal."""

from __future__ import annotations

import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from support.attacks import EVERY, STATES, Lab, Marker
from support.docker import LABEL, LONE, layer

SEEDS = range(300 if EVERY else 4)
PATHS = (
    *("/", "", ".", "..", "../../../../../..", "/proc/self/fd/3", "/proc/self/fd/9", "/proc/self/root", "/dev/fd/13"),
    *("/proc/1/root", "/proc/self/cwd/..", "srv", "//srv//", "/srv/./..", "/" + "a/" * 700, "/" + "b" * 300),
    *("/linked", "/linked/below", "/loop", "/loop/x", "/etc/passwd", "/etc/passwd/x", "/dev/null", "/nowhere/at/all"),
    *("/x\n/y", "/\x1b]0;title\x07", "/\u202egnp", "/$(id)", "/`id`", "/ ", "-c", "--", "/proc", "/sys/kernel", "/dev"),
)
TEXTS = (
    *("", "0", "root", "user", "1000", "nobody", "-1", "4294967295", "4294967296", "99999999999999999999", "0x0"),
    *(
        "root:root",
        "1000:",
        ":1000",
        "a:b:c",
        "user:nogroup",
        "\x1b[31mred",
        "a\nb",
        "\u202e",
        "\udcff",
        "$(id)",
        "%n%s",
    ),
    *("a" * 4096, " ", "--as", "root\x00root", "\t", "+0", "00", "1e3"),
)
LINKS = (
    *("/proc/self/fd/3", "/proc/self/fd/9", "/proc/self/exe", "/proc/self/root/proc/self/fd/4", "loop", "/linked", "/"),
    *("../../../..", "/proc/1/environ", "/dev/pts/0", "/dev/tty", "/proc/self/fd/0", "/nowhere", "/proc/sysrq-trigger"),
)
PLACES = (
    *("etc/passwd", "etc/group", "etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/os-release", "root", "home"),
    *("dev", "dev/null", "dev/pts", "dev/ptmx", "dev/.pyd", "proc", "sys", "tmp", "srv", "linked", "usr/local/bin/ls"),
)
LINES = ("root:x:0:0::{}:/bin/sh\n", "user:x:1000:1000:{}\n", "{}:x:0:0::/:\n", ":::::::\n", "\x00\xff{}\n", "root\n")


def hostile_files(dice: random.Random) -> dict[str, bytes | Path | str]:
    """Return files and links, some of them in the place of what an engine or pyd looks at."""
    files: dict[str, bytes | Path | str] = {}
    for path in dice.sample(PLACES, 5):
        if dice.random() < 0.6:
            files[path] = f"-> {dice.choice(LINKS)}"
        else:
            lines = [dice.choice(LINES).format(dice.choice(PATHS + TEXTS)) for _ in range(dice.randrange(6))]
            files[path] = "".join(lines).encode(errors="surrogateescape")
    files["loop"] = "-> loop"
    return files


def hostile_config(dice: random.Random) -> dict[str, Any]:
    """Return an image's configuration with values that no user would choose in good faith."""
    names = ["PATH", "HOME", "TERM", "LANG", "PS1", "LD_PRELOAD", "LD_LIBRARY_PATH", "TZ", "HOSTNAME", "A", "=", "a b"]
    texts = PATHS + TEXTS
    return {
        "User": dice.choice(TEXTS),
        "WorkingDir": dice.choice(PATHS),
        "Env": [f"{dice.choice(names)}={dice.choice(texts)}" for _ in range(dice.randrange(8))],
        "Entrypoint": dice.choice([None, [dice.choice(texts) or "x"], ["/bin/sleep"]]),
        "Cmd": dice.choice([None, [dice.choice(texts)], ["/bin/sleep", "100000"]]),
        "Labels": {dice.choice(texts) or "l": dice.choice(texts) for _ in range(3)},
        "Volumes": dice.choice([None, {}, {dice.choice(PATHS) or "/v": {}}]),
        "StopSignal": dice.choice(["", "9", "SIGKILL", "SIGNOTHING", "\x1b[2J"]),
    }


def load_image(lab: Lab, short: str, config: dict[str, Any], files: dict[str, bytes | Path | str]) -> str:
    """Load an image that no builder would make, and return its name; an empty one if the engine refuses it."""
    data = [layer(lab.files, ("tmp", "etc", "srv")), layer(files)]
    digests = [f"sha256:{hashlib.sha256(part).hexdigest()}" for part in data]
    config = {**config, "Labels": {**config["Labels"], LABEL: lab.corner.prefix}}
    described = {"architecture": "amd64", "os": "linux", "config": config}
    described["rootfs"] = {"type": "layers", "diff_ids": digests}
    name = f"{lab.corner.name(short)}:1"
    archive: dict[str, bytes | Path | str] = {f"{number}.tar": part for number, part in enumerate(data)}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": list(archive)}]
    archive |= {"config.json": json.dumps(described), "manifest.json": json.dumps(manifest)}
    try:
        lab.corner("load", stdin=layer(archive))
    except AssertionError:
        return ""
    return name


def assert_sound(lab: Lab, marker: Marker, target: str, identity: str) -> None:
    """Run a session in a target and asserts what holds whatever the target is."""
    line = f"/bin/climb {marker.path}; cd ~ 2>/dev/null && /bin/climb {marker.path}; ls / >/dev/null; id -u"
    done = lab.debug(target, "-c", line, identity=identity)
    marker.assert_unreached(done.stdout)
    assert "Traceback" not in done.stderr, done.stderr
    assert "internal error" not in done.stderr, done.stderr
    assert re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e]", done.stderr) is None, repr(done.stderr)
    assert all(line.startswith("cwd /") for line in done.stdout.splitlines() if line.startswith("cwd ")), done.stdout
    assert lab.secret not in done.stdout + done.stderr
    assert done.returncode in range(128), (done.returncode, done.stderr)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("state", STATES)
def test_whatever_a_target_is_a_session_is_sound(docker_lab: Lab, marker: Marker, state: str, seed: int):
    dice = random.Random(f"{state}-{seed}")
    image = load_image(docker_lab, f"fuzz-{state}-{seed}", hostile_config(dice), hostile_files(dice))
    if not image:
        pytest.skip("the engine refuses the image")
    identity = dice.choice(["root", "target", "1000"])
    if state == "image":
        assert_sound(docker_lab, marker, f"image:{image}", identity)
        return
    try:
        if state == "stopped":
            target = docker_lab.corner.create(f"fuzz-{seed}", image, "sleep", "100000", options=LONE)
        else:
            given = ("--entrypoint", "/bin/sleep", "--user", "0", "-w", "/", *LONE)
            target = docker_lab.corner.run(f"fuzz-{seed}", image, "100000", options=given)
    except AssertionError:
        pytest.skip("the engine refuses the container")
    assert_sound(docker_lab, marker, target, identity)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_running_container_that_changes_its_files_gets_nothing(docker_lab: Lab, marker: Marker, seed: int):
    """The same by a container that chooses its files, nodes and links as it runs, all at once."""
    dice = random.Random(f"changing-{seed}")
    lines = []
    for path in dice.sample(PLACES, 6):
        if path in ("proc", "sys", "dev"):
            continue
        lines += [f"umount -l /{path}", f"rm -rf /{path}", f"ln -sfn {dice.choice(LINKS)} /{path}"]
    lines.append("exec sleep 100000")
    name = docker_lab.start(
        "changing", "/bin/busybox", "sh", "-c", "; ".join(lines), options=("--cap-add", "SYS_ADMIN", "-w", "/srv")
    )
    for identity in ("root", "target"):
        assert_sound(docker_lab, marker, name, identity)
