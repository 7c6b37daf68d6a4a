"""Rules about present states: running, paused, restarting, unhealthy, throttled."""

from __future__ import annotations

import re

from pyd_core.humanize import duration
from pyd_core.model.base import parse_time
from pyd_core.model.container_state import HealthResult
from pyd_core.triage.evidence import Case, Evidence, Item
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.facts import error_item, failed_unasked, quote
from pyd_core.triage.runs import LOOP_WINDOW_NS, is_looping, recent_deaths
from pyd_core.triage.usage_text import last_line_of_error

BOOK = RuleBook()

MIN_THROTTLED_SHARE = 0.25
"""The share of throttled periods from which the rule fires."""
MIN_QUOTA_PERIOD_COUNT = 20
"""Usually 100 ms each: with fewer, the share says nothing."""

_PROBE_BROKEN = (126, 127)
PROBE_TIMEOUT_NS = 30_000_000_000
"""The default of both Docker Engine and Podman."""


@BOOK.rule("paused", needs=("inspect",), says="Its state is paused.")
def paused(case: Case) -> Conclusion | None:
    """Conclude that it is paused."""
    if not case.container.state.paused:
        return None
    return Conclusion(
        cause="paused",
        confidence=0.98,
        evidence=(Item(source="inspect", text="state paused"),),
        summary="is paused",
        advice=("pyd unpause {name}",),
    )


@BOOK.rule(
    "restart-loop",
    needs=("events",),
    says="At least three deaths within ten minutes under a restart policy, and it hasn't run for a minute since.",
)
def restart_loop(case: Case) -> Conclusion | None:
    """Conclude a restart loop."""
    container = case.container
    if not is_looping(container, case.runs, case.now_ns):
        return None
    deaths = recent_deaths(case.runs, case.now_ns)
    count = max(len(deaths), container.restart_count)
    lives = sorted(run.seconds for run in deaths if run.seconds is not None)
    typical = f", ~{duration(lives[len(lives) // 2])} after each start" if lives else ""
    policy = container.host_config.restart_policy.name
    error = error_item(case) if failed_unasked(case) else None
    evidence = [] if error is None else [error]
    evidence.append(Item(source="inspect", text=f"restarted {container.restart_count} times (policy {policy})"))
    if len(deaths) > 1:
        window = duration(LOOP_WINDOW_NS / 1e9)
        evidence.append(Item(source="events", text=f"{len(deaths)} deaths within {window}{typical}"))
    return Conclusion(
        cause="restart-loop",
        confidence=0.95,
        evidence=tuple(evidence),
        summary=f"is in a crash loop: {_each_time(case, error)}{count} crashes{typical}",
        reason=_loop_reason(case, error, count, lives),
        advice=("pyd stop {name}", "pyd logs --tail 100 {name}"),
    )


def _loop_reason(case: Case, error: Item | None, count: int, lives: list[float]) -> str:
    """Return the error line, or else the exit code and how long it lives, with the number of crashes."""
    times = f"{count} crashes"
    if error is not None and failed_unasked(case):
        return f"{quote(error.text.partition(': ')[2])} ({times})"
    typical = f", ~{duration(lives[len(lives) // 2])} after each start" if lives else ""
    return f"crash loop: {times}{typical}"


def _each_time(case: Case, error: Item | None) -> str:
    """Return the exit code and the error line, if its output has one."""
    if not failed_unasked(case):
        return ""
    quoted = "" if error is None else f' ("{quote(error.text.partition(": ")[2])}")'
    return f"exit code {case.run.code}{quoted}; "


@BOOK.rule(
    "healthcheck-broken",
    needs=("inspect",),
    says="The last probe exited with 126, 127 or below 0: it couldn't run or wasn't found. Podman reports 1 for all, "
    "so there the shell's message decides.",
)
def healthcheck_broken(case: Case) -> Conclusion | None:
    """Conclude that the probe can't run."""
    health = case.container.state.health
    if health is None or not case.run.alive or not health.log:
        return None
    last = health.log[-1]
    by_code = last.exit_code in _PROBE_BROKEN or last.exit_code < 0
    by_output = case.tool == "podman" and _probe_command_missing(case)
    if _timed_out(case, last) or not (by_code or by_output):
        return None
    return Conclusion(
        cause="healthcheck-broken",
        confidence=0.93 if by_code else 0.85,
        evidence=_probe_items(case),
        summary=f"has a health probe that can't run (exit code {last.exit_code}); the program itself may be fine",
        reason=_probe_reason("its probe can't run", last),
        advice=("pyd inspect -f '{{json .Config.Healthcheck.Test}}' {name}", "pyd debug {name}"),
    )


def _timed_out(case: Case, probe: HealthResult) -> bool:
    """Return whether a probe timed out: Docker Engine says so, Podman only reports -1 (libpod)."""
    if probe.exit_code != -1:
        return False
    healthcheck = case.container.config.healthcheck
    limit = (healthcheck.timeout if healthcheck is not None else 0) or PROBE_TIMEOUT_NS
    start, end = parse_time(probe.start), parse_time(probe.end)
    return "exceeded timeout" in probe.output or (start is not None and end is not None and end - start >= limit)


def _probe_command_missing(case: Case) -> bool:
    return any(finding.line.stream == "health" for finding in case.findings_of("command-not-found"))


@BOOK.rule("unhealthy", needs=("inspect",), says="Its health is unhealthy, and the probe can run; not of pods.")
def unhealthy(case: Case) -> Conclusion | None:
    """Conclude that the probe fails."""
    health = case.container.state.health
    if health is None or health.status != "unhealthy" or not case.run.alive or case.pod is not None:
        return None
    last = health.log[-1] if health.log else None
    refused = next(
        (finding for finding in case.findings_of("connection-refused") if finding.line.stream == "health"), None
    )
    if refused is not None:
        return _refused_probe(case, refused, health.failing_streak)
    slow = last is not None and _timed_out(case, last)
    how = "its probe takes longer than its timeout" if slow else "its probe fails"
    return Conclusion(
        cause="unhealthy",
        confidence=0.95,
        evidence=(Item(source="health", text=f"{health.failing_streak} probes failed in a row"), *_probe_items(case)),
        summary=f"is unhealthy: {how} ({health.failing_streak} in a row)",
        reason=_probe_reason(how, last),
        advice=("pyd inspect -f '{{json .Config.Healthcheck.Test}}' {name}", "pyd logs --tail 50 {name}"),
    )


def _probe_reason(how: str, last: HealthResult | None) -> str:
    """Return the last line that the probe printed, if it failed with one that isn't part of a usage text."""
    printed = "" if last is None else last_line_of_error(last.output.splitlines())
    return f"{how}: {quote(printed)}" if printed else how


def _refused_probe(case: Case, refused: Evidence, streak: int) -> Conclusion:
    address = _probed_address(case, refused.subject)
    times = f" ({streak} times in a row)" if streak else ""
    counted = (Item(source="health", text=f"{streak} probes failed in a row"),) if streak else ()
    return Conclusion(
        cause="unhealthy",
        confidence=0.95,
        evidence=(refused.item, *counted, *_probe_items(case)),
        summary=f"is unhealthy: nothing in it listens on {address}, where its probe connects{times}",
        reason=f"nothing listens on {address}",
        advice=(
            "pyd debug {name} -c 'ss -ltn'",
            "pyd inspect -f '{{json .Config.Healthcheck.Test}}' {name}",
            "pyd logs --tail 50 {name}",
        ),
    )


_URL = re.compile(r"(?P<scheme>https?)://(?P<host>\[[\w:]+\]|[\w.-]+)(?::(?P<port>\d+))?")
_ADDRESS = re.compile(r"(?P<host>\[[\w:]+\]|[\w.-]*[\w-]):(?P<port>\d{1,5})\b")
_CONNECTION = re.compile(
    r"\b(?:nc|ncat|netcat|telnet)(?:\s+-\w+(?:\s+\d+)?)*\s+(?P<host>[\w.-]+)\s+(?P<port>\d{1,5})\b"
    r"|/dev/tcp/(?P<bash_host>[\w.-]+)/(?P<bash_port>\d{1,5})\b"
)
"""A host and a port that aren't joined by a colon, which only programs that connect take: `exit 1` is none."""


def _probed_address(case: Case, reported: str) -> str:
    """Return the address that the probe connects to, from its output or else its command."""
    if re.search(r":\d+$", reported):
        return reported
    healthcheck = case.container.config.healthcheck
    command = " ".join(healthcheck.test or ()) if healthcheck is not None else ""
    if url := _URL.search(command):
        return f"{reported or url['host']}:{url['port'] or (443 if url['scheme'] == 'https' else 80)}"
    if address := _ADDRESS.search(command):
        return f"{reported or address['host']}:{address['port']}"
    if connection := _CONNECTION.search(command):
        host, port = connection["host"] or connection["bash_host"], connection["port"] or connection["bash_port"]
        return f"{reported or host}:{port}"
    return reported or "its port"


def _probe_items(case: Case) -> tuple[Item, ...]:
    health = case.container.state.health
    if health is None:
        return ()
    return tuple(
        Item(
            source="health",
            time_ns=parse_time(probe.end),
            text=f"probe exited with {probe.exit_code}: {probe.output.strip()[:300] or 'no output'}",
        )
        for probe in health.log[-2:]
    )


@BOOK.rule(
    "cpu-throttled",
    needs=("cgroup",),
    says="It is running, has a CPU limit, and was throttled in at least a quarter of the periods.",
)
def cpu_throttled(case: Case) -> Conclusion | None:
    """Conclude throttling by the CPU limit."""
    group = case.cgroup
    if (
        not case.run.alive
        or group is None
        or group.periods < MIN_QUOTA_PERIOD_COUNT
        or group.throttled_ratio < MIN_THROTTLED_SHARE
    ):
        return None
    text = f"throttled in {group.throttled} of {group.periods} periods"
    return Conclusion(
        cause="cpu-throttled",
        confidence=0.9,
        evidence=(Item(source="cgroup", time_ns=case.now_ns, text=text),),
        summary=f"is throttled by its CPU limit {group.throttled_ratio:.0%} of the time",
        advice=("pyd update --cpus 2 {name}", "pyd stats {name}"),
    )


@BOOK.rule("running-ok", needs=("inspect", "cgroup"), says="It is running, and no other rule fires.")
def running_ok(case: Case) -> Conclusion | None:
    """Conclude that it is running without visible problems."""
    state = case.container.state
    if not case.run.alive or not state.running:
        return None
    since = state.started_ns
    lasted = "" if since is None else f" {duration(max(0, case.now_ns - since) / 1e9)}"
    health = "" if state.health is None else f", {state.health.status}"
    return Conclusion(
        cause="running-ok",
        confidence=0.95,
        evidence=(Item(source="inspect", time_ns=since, text=f"running{health}"),),
        summary=f"is up{lasted}{health}; no problem found",
    )
