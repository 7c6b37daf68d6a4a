from __future__ import annotations

import pytest

from pyd_core.debug.pod.ladder import TargetUser, rungs
from pyd_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (TargetUser(uid=65532, gid=65532), ["restricted", "general", "baseline"]),
        (TargetUser(uid=0, gid=0), ["baseline", "general", "restricted"]),
        (TargetUser(), ["baseline", "general", "restricted"]),
        (TargetUser(uid=0, gid=0, privileged=True), ["general", "baseline", "restricted"]),
        (TargetUser(uid=1000, gid=1000, added=True), ["general", "baseline", "restricted"]),
    ],
)
def test_the_least_privileged_rung_that_reaches_the_files_comes_first(user: TargetUser, expected: list[str]):
    assert [rung.name for rung in rungs(user)] == expected


def test_the_target_s_own_user_is_taken_without_any_capability():
    first = rungs(TargetUser(uid=1000, gid=3000))[0].context
    assert (first["runAsUser"], first["runAsGroup"], first["runAsNonRoot"]) == (1000, 3000, True)
    assert first["capabilities"] == {"drop": ["ALL"]}
    assert first["allowPrivilegeEscalation"] is False


def test_the_rung_that_needs_nothing_never_claims_the_files_of_root():
    last = rungs(TargetUser(uid=0, gid=0))[-1]
    assert not last.files
    assert last.context["runAsUser"] != 0


def test_privileged_is_only_taken_when_it_is_named():
    assert "sysadmin" not in {rung.name for rung in rungs(TargetUser(uid=0, privileged=True))}
    assert [rung.name for rung in rungs(TargetUser(uid=0), "sysadmin")] == ["sysadmin"]
    with pytest.raises(InvalidInput):
        rungs(TargetUser(uid=0), "root")


def test_the_rung_that_joins_comes_first_for_root_only_and_with_the_toolbox():
    root, other = TargetUser(uid=0), TargetUser(uid=1000)
    assert rungs(root, joins=True)[0].name == "join"
    assert rungs(other, joins=True)[0].name == "restricted"
    assert "join" not in [rung.name for rung in rungs(root)]
    assert {"SYS_ADMIN", "SYS_PTRACE"} <= set(rungs(other, "join")[0].context["capabilities"]["add"])
