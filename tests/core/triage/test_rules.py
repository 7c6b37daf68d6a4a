from __future__ import annotations

import pytest

from pyd_core.linux.kernel_events import Fault, OomTask
from pyd_core.model.base import format_time
from pyd_core.model.container import Container
from pyd_core.model.container_config import ContainerConfig, HealthConfig
from pyd_core.model.container_state import ContainerState, Health, HealthResult
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.evidence import (
    Case,
    Cgroup,
    EvidenceLogLine,
    FileSystem,
    HostFacts,
    KillSent,
    Run,
    UnavailableSource,
)
from pyd_core.triage.phrases import find_phrases
from pyd_core.triage.rules import RULES
from pyd_core.triage.verdict import decide

from .conftest import ID, NOW, SECOND, MakeCase, kill_of

SHELL = OomTask(pid=100, uid=0, rss_pages=300, name="sh")
KERNEL = UnavailableSource(source="kernel log", reason="no right", would_tell="kills")
EVENTS = UnavailableSource(source="events", reason="forgotten", would_tell="signals")


def test_every_rule_concludes_a_known_cause_and_says_when() -> None:
    for rule in RULES:
        assert rule.cause in CAUSES
        assert rule.says.endswith(".")
        assert rule.needs


def test_137_alone_is_never_out_of_memory(dead: MakeCase) -> None:
    verdict = decide(dead(137))
    assert verdict.cause == "killed-externally"
    assert "oom" not in " ".join(verdict.contributing)


def test_137_with_nothing_readable_is_a_guess_that_says_so(dead: MakeCase) -> None:
    case = dead(137, kernel_read=False, run={"complete": False}, unread=[KERNEL, EVENTS])
    verdict = decide(case)
    assert verdict.cause == "killed-externally"
    assert verdict.confidence < 0.5
    assert len(verdict.unread) == 2


def flagged(code: int = 137) -> Container:
    state = ContainerState(
        status="exited",
        exit_code=code,
        oom_killed=True,
        started_at=format_time(NOW - 11 * SECOND),
        finished_at=format_time(NOW - SECOND),
    )
    return Container(id=ID, name_="/web", path="/app", state=state)


def test_the_engines_flag_counts_once_nothing_else_is_left_and_is_not_certain_then(
    dead: MakeCase,
) -> None:
    forgotten = {"kernel_read": False, "run": {"complete": False}, "unread": [KERNEL, EVENTS]}
    verdict = decide(dead(137, container=flagged(), **forgotten))
    assert verdict.cause == "oom-killed"
    assert verdict.confidence < 0.6
    assert [item.source for item in verdict.evidence].count("inspect") == 2


def test_the_engines_flag_alone_is_outweighed_by_sources_that_see_kills(dead: MakeCase) -> None:
    assert decide(dead(137, container=flagged())).cause != "oom-killed"  # the kernel log was read, and has no kill
    seen = dead(137, container=flagged(), kernel_read=False, unread=[KERNEL])  # as were the events
    assert decide(seen).cause != "oom-killed"
    requested = dead(137, container=flagged(), kernel_read=False, run={"complete": False, "stop_ns": NOW - 9 * SECOND})
    assert decide(requested).cause != "oom-killed"


@pytest.mark.parametrize(
    "line",
    [
        "Memory cgroup out of memory: Killed process 1 (app) total-vm:1kB",
        "OOMKilled",
        "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/" + "ab" * 32,
        "kill: the engine sent SIGKILL",
    ],
)
def test_output_that_imitates_evidence_is_none(dead: MakeCase, line: str) -> None:
    for code in (1, 137):
        verdict = decide(dead(code, line))
        assert verdict.cause in {"app-error", "killed-externally"}
        assert not {"oom-killed", "oom-child", "killed-by-user"} & {verdict.cause, *verdict.contributing}


def test_the_victim_that_heads_the_table_is_the_main_process(dead: MakeCase) -> None:
    assert decide(dead(137, ooms=(kill_of(100, "app"),))).cause == "oom-killed"


def test_the_main_process_was_killed_however_late_the_engine_stamps_its_end(dead: MakeCase) -> None:
    assert decide(dead(137, ooms=(kill_of(100, "app", ended_ns=NOW - 5 * SECOND),))).cause == "oom-killed"


def test_another_victim_is_a_child_even_when_the_code_was_passed_on(dead: MakeCase) -> None:
    assert decide(dead(137, ooms=(kill_of(101, "worker", SHELL),))).cause == "oom-child"


def test_a_recorded_main_process_settles_who_the_victim_was(dead: MakeCase) -> None:
    case = dead(137, ooms=(kill_of(101, "app", SHELL),))
    case.main_pid = 101
    assert decide(case).cause == "oom-killed"


def test_a_child_killed_long_before_a_polite_stop_is_no_death_by_memory(dead: MakeCase) -> None:
    early = kill_of(101, "worker", SHELL, ended_ns=NOW - 9 * SECOND)
    run = {"kills": (KillSent(signal=15, time_ns=NOW - 2 * SECOND),), "stop_ns": NOW - SECOND}
    verdict = decide(dead(143, ooms=(early,), run=run))
    assert verdict.cause == "stopped"
    assert verdict.contributing == ("oom-child",)


def test_a_kill_after_the_grace_period_is_the_engines(dead: MakeCase) -> None:
    kills = (KillSent(signal=15, time_ns=NOW - 11 * SECOND), KillSent(signal=9, time_ns=NOW - SECOND))
    verdict = decide(dead(137, run={"kills": kills, "stop_ns": NOW - SECOND}))
    assert verdict.cause == "stop-timeout"
    assert "10 s" in verdict.summary


def test_a_stop_that_begins_with_sigkill_is_a_stop(dead: MakeCase) -> None:
    reload, kill = KillSent(signal=1, time_ns=NOW - 9 * SECOND), KillSent(signal=9, time_ns=NOW - SECOND)
    for kills in ((kill,), (reload, kill)):
        assert decide(dead(137, run={"kills": kills, "stop_ns": NOW - SECOND})).cause == "stopped"


def test_a_stop_whose_first_signal_is_forgotten_ran_out_of_grace(dead: MakeCase) -> None:
    run = {"kills": (KillSent(signal=9, time_ns=NOW - SECOND),), "stop_ns": NOW - SECOND, "complete": False}
    assert decide(dead(137, run=run, unread=[EVENTS])).cause == "stop-timeout"


def test_the_engines_own_record_stands_in_for_lost_events(dead: MakeCase) -> None:
    lost = {"complete": False}
    assert decide(dead(137, run=lost, asked_to_end=True)).cause == "killed-by-user"
    assert decide(dead(143, run=lost, asked_to_end=True)).cause == "stopped"
    assert decide(dead(137, run=lost, asked_to_end=False)).cause == "killed-externally"


def test_a_stopped_container_may_have_printed_anything(dead: MakeCase) -> None:
    run = {"kills": (KillSent(signal=15, time_ns=NOW - 2 * SECOND),), "stop_ns": NOW - SECOND}
    verdict = decide(dead(1, "connection refused", "bind: address already in use", run=run))
    assert verdict.cause == "stopped"
    assert verdict.contributing == ()


def test_success_is_no_failure_whatever_was_printed(dead: MakeCase) -> None:
    assert decide(dead(0, "permission denied", "No such file or directory")).cause == "clean-exit"


def test_a_signal_code_without_the_kernels_word_is_less_sure(dead: MakeCase) -> None:
    line = Fault(time_ns=NOW - SECOND, pid=5, name="app", kind="segfault", where="libx.so", text="app[5]: segfault")
    sure, unsure = decide(dead(139, faults=(line,))), decide(dead(139))
    assert (sure.cause, unsure.cause) == ("segfault", "segfault")
    assert sure.confidence > 0.9
    assert unsure.confidence < 0.6
    assert "libx.so" in sure.summary


def test_each_source_that_a_rule_needs_and_lacks_lowers_it(dead: MakeCase) -> None:
    whole = decide(dead(3, "bent"))
    lost = decide(dead(3, "bent", unread=[EVENTS]))
    assert lost.confidence == pytest.approx(whole.confidence * 0.75, abs=0.01)


def test_codes_that_nobody_knows_are_the_programs_own(dead: MakeCase) -> None:
    assert decide(dead(42)).cause == "app-error"


def test_the_summary_names_what_the_line_names(dead: MakeCase) -> None:
    assert "DATABASE_URL" in decide(dead(1, "Error: environment variable DATABASE_URL is not set")).summary


def test_a_reload_signal_long_before_a_crash_is_no_request_to_end(dead: MakeCase) -> None:
    reload = {"kills": (KillSent(signal=1, time_ns=NOW - 5 * SECOND),)}
    assert decide(dead(1, "bind: address already in use", run=reload)).cause == "address-in-use"
    assert decide(dead(129, run=reload)).cause == "killed-by-user"


def test_the_engines_record_says_nothing_about_codes_that_no_signal_leaves(dead: MakeCase) -> None:
    lost = {"complete": False}
    assert decide(dead(1, "connection refused", run=lost, asked_to_end=True)).cause == "connection-refused"
    assert decide(dead(0, run=lost, asked_to_end=True)).cause == "stopped"


def test_a_program_that_ends_in_its_own_way_on_a_signal_was_ended_by_it(dead: MakeCase) -> None:
    run = {"kills": (KillSent(signal=15, time_ns=NOW - 2 * SECOND),)}
    assert decide(dead(1, "shutting down", run=run)).cause == "killed-by-user"


def test_one_that_ended_when_the_engine_came_up_again_ended_with_it(dead: MakeCase) -> None:
    host = HostFacts(engine_started_ns=NOW)
    assert decide(dead(255, host=host, run={"complete": False})).cause == "engine-restart"
    assert decide(dead(3, host=host, run={"complete": False})).cause == "app-error", "a code of its own"
    old = HostFacts(engine_started_ns=NOW - 3600 * SECOND)
    assert decide(dead(255, host=old, run={"complete": False})).cause == "app-error"


def test_one_that_a_new_engine_stopped_ended_with_the_engine_unless_containers_outlive_it(dead: MakeCase) -> None:
    run = {"kills": (KillSent(signal=15, time_ns=NOW - 2 * SECOND),), "stop_ns": NOW - SECOND, "complete": False}
    host = HostFacts(engine_started_ns=NOW - 8 * SECOND)
    assert decide(dead(143, run=run, host=host, asked_to_end=True)).cause == "engine-restart"
    host = HostFacts(engine_started_ns=NOW - 8 * SECOND, outlived=True)
    assert decide(dead(143, run=run, host=host, asked_to_end=True)).cause == "stopped"


def test_a_machine_out_of_memory_is_not_the_containers_limit(dead: MakeCase) -> None:
    kill = kill_of(100, "app")
    kill = type(kill)(time_ns=kill.time_ns, pid=100, name="app", task_cgroup=kill.task_cgroup, text=kill.text)
    assert decide(dead(137, ooms=(kill,))).cause == "oom-host"


def test_no_inodes_is_told_from_no_space(dead: MakeCase) -> None:
    line = "write /data/x: no space left on device"
    worn = FileSystem(name="/data", path="/x", size=10**12, free=10**11, inodes=10**6, inodes_free=5)
    full = FileSystem(name="/data", path="/x", size=10**12, free=10**6, inodes=10**6, inodes_free=10**5)
    assert decide(dead(1, line, host=HostFacts(file_systems=(worn,)))).cause == "inode-exhausted"
    verdict = decide(dead(1, line, host=HostFacts(file_systems=(full,))))
    assert (verdict.cause, verdict.confidence >= 0.9) == ("no-space", True)


def test_refused_forks_of_a_living_container_are_seen_in_its_counters(dead: MakeCase) -> None:
    case = dead(0, cgroup=Cgroup(pids=64, pids_limit=64, pids_refused=9))
    case.run = Run(started_ns=NOW - SECOND, complete=True)
    verdict = decide(case)
    assert verdict.cause == "pids-limit"
    assert any("9 forks refused" in item.text for item in verdict.evidence)


@pytest.mark.parametrize(
    ("seconds", "output", "limit", "cause"),
    [
        (5.01, "", 5 * SECOND, "unhealthy"),  # Podman's, of a probe that was ended
        (30.2, "", 0, "unhealthy"),
        (5.01, "Health check exceeded timeout (5s)", 5 * SECOND, "unhealthy"),
        (0.01, "exec failed: no such file", 5 * SECOND, "healthcheck-broken"),
        (5.01, "", 0, "healthcheck-broken"),
    ],
)
def test_a_probe_that_took_too_long_is_no_broken_one(seconds: float, output: str, limit: int, cause: str) -> None:
    began = NOW - 40 * SECOND
    probe = HealthResult(
        start=format_time(began), end=format_time(began + int(seconds * SECOND)), exit_code=-1, output=output
    )
    health = Health(status="unhealthy", failing_streak=2, log=[probe])
    state = ContainerState(status="running", running=True, started_at=format_time(NOW - 60 * SECOND), health=health)
    config = ContainerConfig(healthcheck=HealthConfig(test=["CMD", "/probe"], timeout=limit))
    container = Container(id=ID, name_="/web", path="/app", state=state, config=config)
    run = Run(started_ns=NOW - 60 * SECOND, complete=True)
    verdict = decide(Case(container=container, now_ns=NOW, run=run, kernel_read=True))
    assert verdict.cause == cause
    assert ("longer than its timeout" in verdict.summary) == (cause == "unhealthy")


@pytest.mark.parametrize(
    ("test", "address"),
    [
        (["CMD-SHELL", "echo 'dial: connection refused'; exit 1"], "its port"),
        (["CMD-SHELL", "sleep 3; false || exit 17"], "its port"),
        (["CMD-SHELL", "nc -z -w 2 127.0.0.1 6379 || exit 1"], "127.0.0.1:6379"),
        (["CMD", "nc", "-zv", "db", "5432"], "db:5432"),
        (["CMD-SHELL", "exec 3<>/dev/tcp/localhost/81 || exit 1"], "localhost:81"),
        (["CMD", "pg_isready", "-d", "postgres://db:5432/x"], "db:5432"),
        (["CMD-SHELL", "curl -f http://localhost/health || exit 1"], "localhost:80"),
    ],
)
def test_a_refused_probe_names_the_address_that_it_connects_to(test: list[str], address: str) -> None:
    probe = HealthResult(
        start=format_time(NOW - SECOND), end=format_time(NOW), exit_code=1, output="dial: connection refused"
    )
    health = Health(status="unhealthy", failing_streak=2, log=[probe])
    state = ContainerState(status="running", running=True, started_at=format_time(NOW - 60 * SECOND), health=health)
    container = Container(
        id=ID, name_="/web", path="/app", state=state, config=ContainerConfig(healthcheck=HealthConfig(test=test))
    )
    run = Run(started_ns=NOW - 60 * SECOND, complete=True)
    findings = find_phrases((EvidenceLogLine(stream="health", text=probe.output),))
    verdict = decide(Case(container=container, now_ns=NOW, run=run, findings=findings, kernel_read=True))
    assert verdict.reason == f"nothing listens on {address}"


def test_the_usage_text_of_a_failed_probe_is_no_reason() -> None:
    output = "nc: invalid option -- 'z'\n\nUsage: nc [-l] [-e PROG]\n\n\t-e PROG\tRun PROG after connect\n"
    probe = HealthResult(start=format_time(NOW - SECOND), end=format_time(NOW), exit_code=1, output=output)
    state = ContainerState(
        status="running",
        running=True,
        started_at=format_time(NOW - 60 * SECOND),
        health=Health(status="unhealthy", failing_streak=2, log=[probe]),
    )
    container = Container(id=ID, name_="/web", path="/app", state=state)
    run = Run(started_ns=NOW - 60 * SECOND, complete=True)
    verdict = decide(Case(container=container, now_ns=NOW, run=run, kernel_read=True))
    assert verdict.reason == "its probe fails: nc: invalid option -- 'z'"


@pytest.mark.parametrize(
    ("code", "line", "reason"),
    [
        (1, "ERROR: QUEUE_URL is not set", "QUEUE_URL is not set"),
        (1, "fatal: no such file: /etc/app/config.yml", "file not found: /etc/app/config.yml"),
        (1, "dial tcp 10.0.0.9:5432: connection refused", "10.0.0.9:5432 refused the connection"),
        (1, "getaddrinfo ENOTFOUND db", "can't resolve db"),
        (127, "nosuchprogram: not found", "command not found: nosuchprogram"),
        (3, "the widget is bent", "the widget is bent"),
        (3, "", "exit code 3 (application-defined)"),
        (0, "", "exited normally (code 0) after 10 s"),
    ],
)
def test_the_reason_has_the_specific_part_first(dead: MakeCase, code: int, line: str, reason: str):
    verdict = decide(dead(code, *filter(None, [line])))
    assert verdict.reason == reason
