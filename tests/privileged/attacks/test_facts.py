"""All that a process in a session can say about itself, compared with what it may be: that of `docker exec`."""

from __future__ import annotations

import re
import resource
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.attacks import SAME_ELSEWHERE, STATES, Lab

Facts = dict[str, dict[str, str]]

OWN_STATUS = {"Name", "Pid", "Tgid", "Ngid", "PPid", "NStgid", "NSpid", "NSpgid", "NSsid", "State"} | {
    *("Umask", "FDSize", "Threads", "SigQ", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"),
    *("VmPeak", "VmSize", "VmLck", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmData", "VmStk"),
    *("VmExe", "VmLib", "VmPTE", "VmSwap", "HugetlbPages", "untag_mask", "Kthread", "CoreDumping", "TracerPid"),
}
"""Fields of `/proc/PID/status` that are of this one process, whatever it is."""

CONTAINERS = {
    "usual": (),
    "privileged": ("--privileged",),
    "nothing": ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"),
    "a user": ("--user", "1000:1000", "--group-add", "27"),
    "unconfined": ("--security-opt", "seccomp=unconfined", "--cap-add", "SYS_ADMIN"),
    "limited": (
        *("--ulimit", "nofile=64:128", "--ulimit", "nproc=4000:5000", "--ulimit", "core=0", "--ulimit", "cpu=77"),
        *("--oom-score-adj", "500", "--memory", "64m", "--pids-limit", "50", "--cpus", "0.5", "--cpuset-cpus", "0"),
    ),
}


def parse_facts(text: str) -> Facts:
    """Parse what the program `facts` prints: names and values by kind."""
    facts: Facts = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "status":
            name, _, value = rest.partition(":")
        elif kind == "limits":
            name, value = rest[:26].strip(), rest[26:].strip()
        elif kind == "environ":
            name, _, value = rest.partition("=")
        elif kind == "mountinfo":
            name, value = rest.split()[4], rest
        else:
            name, _, value = rest.partition(" ")
        facts.setdefault(kind, {})[name] = " ".join(value.split())
    return facts


def differences(session: Mapping[str, str], other: Mapping[str, str], *, but: set[str] = frozenset()) -> dict[str, str]:  # type: ignore[assignment]
    names = (session.keys() | other.keys()) - but
    return {name: f"{other.get(name)} -> {session.get(name)}" for name in names if session.get(name) != other.get(name)}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_as_the_target_is_what_docker_exec_is(lab: Lab, kind: str):
    """`--as target` had more than the target: open files, processes, core dumps, the score of the OOM killer."""
    if lab.engine != "docker" and kind not in ("usual", "limited"):
        pytest.skip(SAME_ELSEWHERE)
    name = lab.start(f"facts-{kind.replace(' ', '-')}", options=CONTAINERS[kind])
    limits = {key: Path(f"/proc/{lab.pid(name)}/{key}").read_text() for key in ("limits", "oom_score_adj")}
    own = parse_facts(lab.corner("exec", name, "/bin/facts"))
    done = lab.debug(name, "--", "/bin/facts", identity="target")
    session = parse_facts(done.stdout)
    assert "status" in session, done.stderr
    assert differences(session["status"], own["status"], but=OWN_STATUS) == {}
    target_limits = parse_facts("\n".join(f"limits {line}" for line in limits["limits"].splitlines()))["limits"]
    assert differences(session["limits"], target_limits) == {}
    assert [*session["oom_score_adj"]] == limits["oom_score_adj"].split()
    for group in ("prctl", "scheduling", "uid_map", "gid_map", "setgroups", "ambient", "coredump_filter"):
        assert differences(session.get(group, {}), own.get(group, {})) == {}, group
    assert differences(session["ns"], own["ns"], but={"mnt", "cgroup"}) == {}
    assert own["place"] == session["place"]


@pytest.mark.parametrize("identity", ["root", "target", "1000"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_of_the_user_is_in_a_session(lab: Lab, state: str, identity: str):
    """Environment, descriptors, keyrings and names of who runs `pyd debug` stay with them."""
    target = lab.target(state, "facts", lab.image, () if state == "image" else ("-e", "CONTAINERS=own"))
    done = lab.debug(target, "--", "/bin/facts", identity=identity)
    facts = parse_facts(done.stdout)
    assert "status" in facts, done.stderr
    assert set(facts["fd"]) == {"0", "1", "2"}
    assert all(link.startswith("pipe:") for link in facts["fd"].values()), facts["fd"]
    assert lab.secret not in done.stdout
    assert set(facts["environ"]) <= ALLOWED_ENVIRONMENT, set(facts["environ"]) - ALLOWED_ENVIRONMENT
    assert facts["place"]["root"] == "/"
    assert facts["place"]["cwd"] == "/"
    assert facts["status"]["TracerPid"] == "0"
    rights = int(facts["status"]["CapBnd"], 16)
    assert not rights & FORBIDDEN_RIGHTS, f"{rights:x}"
    assert int(facts["prctl"]["subreaper"]) == 0
    assert int(facts["oom_score_adj"].popitem()[0]) >= 0
    if state == "running":
        own = parse_facts(lab.corner("exec", target, "/bin/facts"))["mountinfo"].keys()
        assert not [path for path in facts["mountinfo"].keys() - own if not re.match(r"/dev($|/)", path)]


ALLOWED_ENVIRONMENT = {
    *("PATH", "HOME", "LANG", "TERM", "SHELL", "PAGER", "HOSTNAME", "CONTAINERS", "container"),
    *("TERMINFO", "TERMINFO_DIRS", "PYD_TARGET", "SSL_CERT_FILE", "VIMRUNTIME", "MAGIC"),
    *("HISTFILE", "LESSHISTFILE", "NODE_REPL_HISTORY", "HTOPRC", "PSQL_HISTORY", "PYTHON_HISTORY"),
    *("REDISCLI_HISTFILE", "SQLITE_HISTORY", "INPUTRC"),
}
"""Variables of a session: the container's, and what tools need to find their files."""

FORBIDDEN_RIGHTS = sum(1 << number for number in (2, 16, 17, 20, 21, 22, 25, 32, 33, 34, 38, 39, 40))
"""Capabilities that reach beyond a container: CAP_DAC_READ_SEARCH, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_PACCT,
CAP_SYS_ADMIN, CAP_SYS_BOOT, CAP_SYS_TIME, CAP_MAC_OVERRIDE, CAP_MAC_ADMIN, CAP_SYSLOG, CAP_PERFMON, CAP_BPF,
CAP_CHECKPOINT_RESTORE."""


@pytest.mark.parametrize("identity", ["root", "target", "1000"])
def test_a_limited_target_limits_every_identity(docker_lab: Lab, identity: str):
    """No session may be preferred to its target by the OOM killer, or hold more files open than it."""
    name = docker_lab.start("limited", options=CONTAINERS["limited"])
    facts = parse_facts(docker_lab.debug(name, "--", "/bin/facts", identity=identity).stdout)
    assert int(facts["oom_score_adj"].popitem()[0]) >= 500
    assert facts["limits"]["Max open files"] == "64 128 files"


@pytest.mark.parametrize("identity", ["root", "target"])
def test_the_users_own_limits_are_not_passed_on(docker_lab: Lab, identity: str):
    """Limits of the user's shell, such as an unlimited stack, stay the user's."""
    name = docker_lab.start("limits")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = ["prlimit", f"--nofile={min(soft, 333)}:{hard}", "--stack=unlimited:unlimited"]
    target = parse_facts(docker_lab.corner("exec", name, "/bin/facts"))["limits"]
    session = parse_facts(docker_lab.debug(name, "--", "/bin/facts", identity=identity, before=before).stdout)["limits"]
    assert session["Max open files"] == target["Max open files"]
    assert session["Max stack size"] == target["Max stack size"]
