"""Each staged fault of a pod has its own cause, and every recorded pod its verdict."""

from __future__ import annotations

import pytest

from pyd_core.triage.causes import CAUSES
from pyd_core.triage.rules.pods import POD_RULES
from support.kube.records import NODELOST, state_names
from support.pod_stages import STAGES, WELL, PodStage, judge


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.short)
async def test_a_staged_fault_has_its_cause_and_no_others(stage: PodStage):
    verdict = await judge(stage)
    assert verdict.cause == stage.cause, verdict
    assert set(verdict.contributing) <= set(stage.also), verdict
    assert verdict.evidence
    assert "None" not in verdict.summary


@pytest.mark.parametrize(("name", "cause"), WELL.items())
async def test_a_pod_that_is_well_is_called_so(name: str, cause: str):
    verdict = await judge(PodStage(name, cause, name))
    assert (verdict.cause, verdict.severity, verdict.contributing) == (cause, "fine", ())


def test_every_recorded_pod_has_its_verdict():
    recorded = {*state_names(), *(path.stem for path in NODELOST.glob("*.json"))}
    twice = {"job-fail-v6lm8"}  # the second pod of a job that failed twice
    assert recorded - twice == {stage.base for stage in STAGES} | set(WELL)


def test_there_are_at_least_forty_faults_with_names_of_their_own():
    shorts = [stage.short for stage in STAGES]
    assert len(shorts) == len(set(shorts)) >= 40


def test_every_rule_concludes_a_known_cause_and_says_when():
    for rule in POD_RULES:
        assert rule.cause in CAUSES
        assert rule.says.endswith(".")
        assert rule.needs


async def test_summaries_name_the_predicate_and_its_number_of_nodes():
    stage = next(stage for stage in STAGES if stage.short == "memory-and-taint")
    verdict = await judge(stage)
    assert "any of 5 nodes" in verdict.summary
    assert "Insufficient memory (4 nodes)" in verdict.summary
    assert "(1 node)" in verdict.summary


async def test_a_probe_s_verdict_has_its_answer():
    answers = {"live-fail": "liveness probe failed: HTTP 500", "ready-exec-fail": "not yet"}
    for short, answer in answers.items():
        verdict = await judge(next(stage for stage in STAGES if stage.short == short))
        assert answer in verdict.summary
