"""Verdicts with limited sight: another machine's engine, a user without rights."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.model.container import Container
from pyd_core.model.system import Version
from pyd_core.triage.api import explain
from pyd_core.triage.collect.gather import SharedEvidence, gather
from pyd_core.triage.evidence import Run
from pyd_core.triage.verdict import Verdict, decide
from support.docker import Docker
from support.stages import NONE, SMALL, stage
from support.staging import Stage

UNPRIVILEGED = 65534


def from_afar(name: str) -> Verdict:
    """As if the engine ran on another machine: nothing but its API is there."""
    engine = blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))
    architecture = run_now(engine.system.version()).arch
    around = SharedEvidence(Version(arch=architecture), local=False)
    return run_now(explain(engine, name, shared=around))


def test_from_afar_the_engines_word_has_to_do_and_the_verdict_is_less_sure(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict]
) -> None:
    name = stage(docker, stage_image, Stage("far-oom", "oom-killed", ("/hog",), SMALL))
    near, far = judge(name), from_afar(name)
    assert (near.cause, far.cause) == ("oom-killed", "oom-killed")
    assert far.confidence < near.confidence
    assert "kernel log" in {gap.source for gap in far.unread}
    assert "kernel log" not in {item.source for item in far.evidence}


def test_from_afar_a_program_is_looked_at_through_the_engines_archives(docker: Docker, stage_image: str) -> None:
    for short, command, cause in (
        ("far-crlf", "/crlf.sh", "crlf-script"),
        ("far-perl", "/perl.sh", "interpreter-missing"),
        ("far-foreign", "/foreign", "wrong-architecture"),
        ("far-loader", "/nocc", "loader-missing"),
    ):
        verdict = from_afar(stage(docker, stage_image, Stage(short, cause, (command,))))
        assert verdict.cause == cause, verdict.summary
        assert "image" in {item.source for item in verdict.evidence}


def test_what_nothing_explains_is_not_guessed_at(docker: Docker, stage_image: str) -> None:
    name = stage(docker, stage_image, Stage("unexplained", "unknown", ("sh", "-c", "kill -9 $$; exit 137"), NONE))
    engine = blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))
    case = run_now(gather(engine, name, around=SharedEvidence(Version(), local=False, events={})))
    run_now(engine.aclose())
    case.events = None
    case.run = Run(started_ns=case.run.started_ns, ended_ns=case.run.ended_ns, code=None)
    verdict = decide(case)
    assert (verdict.cause, verdict.confidence) == ("unknown", 0.2)
    assert verdict.unread


def test_from_afar_137_is_still_not_called_out_of_memory(docker: Docker, stage_image: str) -> None:
    this = Stage("far-kill", "killed-by-user", ("sleep", "60"), act=_kill)
    verdict = from_afar(stage(docker, stage_image, this))
    assert verdict.cause == "killed-by-user"


def _kill(corner: Docker, name: str) -> None:
    corner("kill", name)
    corner("wait", name)


def test_without_rights_to_kernel_log_and_layers_it_says_what_it_could_not_see(
    docker: Docker, stage_image: str
) -> None:
    name = stage(docker, stage_image, Stage("no-rights", "app-error", ("sh", "-c", "exit 3"), NONE))
    script = f"""
import os
from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.triage.api import explain
from pyd_core.triage.verdict import Verdict, decide
import pyd_core.triage.collect.gather, pyd_core.triage.checks, msgspec, shlex, sys
group = os.stat("/var/run/docker.sock").st_gid
os.setgroups([group]); os.setgid({UNPRIVILEGED}); os.setuid({UNPRIVILEGED})
engine = blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))
sys.stdout.write(msgspec.json.encode(run_now(explain(engine, {name!r}))).decode())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**os.environ, "HOME": "/"}
    )
    assert done.returncode == 0, done.stderr
    import msgspec

    verdict = msgspec.json.decode(done.stdout, type=Verdict)
    assert verdict.cause == "app-error"
    assert "kernel log" in {gap.source for gap in verdict.unread}
    assert all(gap.would_tell for gap in verdict.unread)


def test_one_that_goes_between_two_reads_is_not_found_and_nothing_worse(docker: Docker, stage_image: str) -> None:
    from pyd_core.errors import NotFound

    name = stage(docker, stage_image, Stage("vanishes", "clean-exit", ("true",)))
    engine = blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))
    inspect = engine.containers.inspect

    async def and_then_gone(identity: str, *, size: bool = False) -> Container:
        result = await inspect(identity, size=size)
        docker("rm", name)
        return result

    engine.containers.inspect = and_then_gone  # type: ignore[method-assign, assignment]
    try:
        verdict = run_now(explain(engine, name))
    except NotFound:
        return
    assert verdict.cause in {"clean-exit", "unknown"}
