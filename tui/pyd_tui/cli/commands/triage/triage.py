"""`pyd triage`: why a container died, or what is wrong with it or with the engine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.triage.scan import Sweep
    from pyd_core.triage.verdict import Verdict

STDIN = "-"
EXIT_BROKEN = 1
SAME_DEATH_TOLERANCE_NS = 3_000_000_000
"""Timestamps of a death that differ by less belong to the same death: engine and events stamp it separately."""
MAX_MESSAGE_CHARS = 2**20
"""Characters read from a pipe: enough for the output of a build, bounded for an endless stream."""


@click.command(
    "triage",
    cls=PydCommand,
    examples=(
        ("pyd triage web", "explain why it died, with evidence and next steps"),
        ("pyd triage", "list everything broken or at risk; exit code 1 if something is broken"),
        ("pyd triage --explain 137", "explain an exit code or a cause, without an engine"),
        ("docker build . 2>&1 | pyd triage --error", "explain the error message of a failed command"),
        (
            "pyd triage web --error 'db:5432: connection refused'",
            "explain an error of web from networks, names and ports",
        ),
        ("pyd triage deploy/api", "explain a Kubernetes workload and its pods; svc/NAME and node/NAME too"),
        ("pyd triage web db --json", "print verdicts for programs"),
    ),
)
@click.argument("names", nargs=-1, type=ContainerName(), metavar="[CONTAINER]...")
@click.option("--explain", metavar="CODE|CAUSE", help="Explain an exit code, a signal or a cause, without an engine.")
@click.option(
    "--error",
    is_flag=False,
    flag_value=STDIN,
    metavar="[TEXT]",
    help="Explain an error message of run, build, pull, compose or a container; without TEXT, read it from a pipe.",
)
@pass_state
def command(state: State, /, *, names: tuple[str, ...], explain: str | None, error: str | None) -> None:
    """Explain why containers died or what is wrong with them, with evidence.

    Without a name, scan the engine for everything broken or at risk.
    """
    if explain is not None:
        _explain(state, explain)
    elif error is not None:
        if len(names) > 1:
            raise InvalidInput("--error takes at most one container")
        _explain_message(state, error, "".join(names))
    elif names:
        _named(state.for_subjects(names), names)
    else:
        _scan(state)


def _named(state: State, names: tuple[str, ...]) -> None:
    if not any("/" in name for name in names):
        _containers(state, names)
        return
    from pyd_core.kube.subject import is_cluster_subject, parse_subject

    subjects = [parse_subject(name) for name in names if is_cluster_subject(name)]
    if not any(subject.kind != "pod" for subject in subjects):
        _containers(state, names)
        return
    if len(names) > 1:
        raise InvalidInput("a workload, service or node is explained one at a time", hint=f"name one of {len(names)}")

    async def scan_subject(engine: Provider) -> Sweep:
        from pyd_core.kube.cluster_client import ClusterClient
        from pyd_core.triage.pods.subject_scan import sweep_subject

        if not isinstance(engine, ClusterClient):
            raise InvalidInput("only a cluster has workloads", hint="-H kube://CONTEXT/NAMESPACE")
        return await sweep_subject(engine, subjects[0])

    _report(state, state.run_provider(scan_subject))


def _containers(state: State, names: tuple[str, ...]) -> None:
    try:
        verdicts = [
            _more_confident(verdict) for verdict in state.ask_provider(lambda engine: explain_all(engine, names))
        ]
    except NotFound as error:
        verdicts = [recorded for name in names if (recorded := _recorded_verdict(name)) is not None]
        if len(verdicts) < len(names):
            raise error from None
    if state.json:
        write_json(verdicts if len(verdicts) > 1 else verdicts[0])
        return
    from pyd_core.triage.text_report import describe

    write("\n\n".join(describe(verdict) for verdict in verdicts) + "\n")


def _more_confident(verdict: Verdict) -> Verdict:
    """Return the recorded verdict if it is more confident: the recorder saw events that the engine has forgotten."""
    from pyd_core.model.base import parse_time

    if verdict.ended is None or not verdict.unread:
        return verdict
    recorded = _recorded_verdict(verdict.id)
    if recorded is None or recorded.ended is None or recorded.confidence <= verdict.confidence:
        return verdict
    difference_ns = abs((parse_time(recorded.ended) or 0) - (parse_time(verdict.ended) or 0))
    return recorded if difference_ns < SAME_DEATH_TOLERANCE_NS else verdict


def _recorded_verdict(name: str) -> Verdict | None:
    """Return the recorded verdict on the last death of a container, by name or id."""
    from pyd_core.watch.history_path import default_path
    from pyd_core.watch.history_store import HistoryReader

    try:
        store = HistoryReader(default_path())
    except PydError:
        return None
    try:
        deaths = store.deaths(name, limit=1)
    except PydError:
        return None
    finally:
        store.close()
    return deaths[0].verdict if deaths else None


async def explain_all(engine: Provider, names: tuple[str, ...]) -> list[Verdict]:
    """Return the verdict on each container."""
    from pyd_core.triage.api import explain
    from pyd_core.triage.collect.gather import SharedEvidence

    around = await SharedEvidence.of(engine)
    return [await explain(engine, name, shared=around) for name in names]


def _scan(state: State) -> None:
    async def scan_engine(engine: Provider) -> Sweep:
        from pyd_core.triage.scan import sweep

        return await sweep(engine)

    _report(state, state.ask_provider(scan_engine))


def _report(state: State, scan: Sweep) -> None:
    if state.json:
        write_json(
            {
                "broken": scan.broken,
                "containers": scan.containers,
                "concerns": scan.concerns,
                "unread": scan.unread,
            }
        )
    else:
        from pyd_core.triage.text_report import describe_sweep

        write(describe_sweep(scan) + "\n")
    if scan.broken:
        raise SystemExit(EXIT_BROKEN)


def _explain(state: State, term: str) -> None:
    from pyd_core.triage.causes import CAUSES
    from pyd_core.triage.codes import explain_code, signal_number
    from pyd_core.triage.text_report import describe_cause, describe_code

    if term in CAUSES:
        cause = CAUSES[term]
        if state.json:
            write_json({"cause": cause.id, "family": cause.family, "meaning": cause.meaning, "remedy": cause.remedy})
        else:
            write(describe_cause(term) + "\n")
        return
    number = None if term.isdigit() else signal_number(term)
    if number is None and not term.isdigit():
        import difflib

        near = difflib.get_close_matches(term, CAUSES, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "give an exit code, a signal's name or a cause"
        raise InvalidInput(f"no such exit code, signal or cause: {term}", hint=hint)
    code = int(term) if number is None else 128 + number
    if state.json:
        write_json(explain_code(code))
    else:
        write(describe_code(code) + "\n")


def _explain_message(state: State, text: str, name: str) -> None:
    from pathlib import Path

    from pyd_core.triage.checks.explain import explain_error
    from pyd_core.triage.text_report import describe

    if text == STDIN:
        text = sys.stdin.read(MAX_MESSAGE_CHARS)
    if not text.strip():
        raise InvalidInput(
            "no message to explain", hint="give it in quotes, or pipe it: docker run … 2>&1 | pyd triage --error"
        )
    directory = Path.cwd()
    try:
        verdict = state.ask_provider(lambda engine: explain_error(text, engine, directory=directory, name=name))
    except PydError:  # the message may be about an engine that doesn't answer
        from pyd_core.client.transport.blocking import run_now

        verdict = run_now(explain_error(text, None, directory=directory))
    if state.json:
        write_json(verdict)
    else:
        write(describe(verdict) + "\n")
