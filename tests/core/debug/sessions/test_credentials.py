"""Choosing who the command is."""

from __future__ import annotations

from typing import Any

import pytest

from pyd_core.debug.sessions.credentials import DEBUGGER, TRACER, choose_credentials, inside, is_confined, mask, names
from pyd_core.errors import InvalidInput, Refused
from pyd_core.linux.process import Status, parse_status

EVERYTHING = (1 << 41) - 1
IDENTITY_MAP = "         0          0 4294967295\n"
REMAPPED = "         0     100000      65536\n"


def target(**changes: object) -> Status:
    masks = dict.fromkeys(("inheritable", "permitted", "effective", "bounding", "ambient"), 0)
    fields = {"uid": 0, "gid": 0, "groups": (), **masks}
    return Status(**{**fields, "no_new_privileges": False, "seccomp": 2, **changes})  # type: ignore[arg-type]


def choose(
    identity: str, status: Status | None = None, *, uid_map: str = IDENTITY_MAP, own: int = EVERYTHING, **more: Any
):
    maps = {"uid_map": uid_map, "gid_map": uid_map}
    return choose_credentials(identity, status or target(), **maps, own_bounding=own, **more)


def test_root_has_what_debugging_takes_and_never_more_than_this_process_has():
    assert choose("root").effective == DEBUGGER
    assert choose("root", own=mask("kill", "sys_admin")).effective == mask("kill")


def test_root_cannot_mount_load_modules_or_make_devices():
    assert not set(names(DEBUGGER)) & {"sys_admin", "sys_module", "mknod", "sys_rawio", "sys_boot", "bpf", "sys_time"}


def test_root_opens_no_files_by_their_handle():
    """CAP_DAC_READ_SEARCH opens every file of the host by open_by_handle_at(2)."""
    assert "dac_read_search" not in names(DEBUGGER | TRACER)


def test_root_has_no_rights_over_namespaces_of_the_host_unless_they_are_asked_for():
    """A session in a container with the host's processes and network could trace and configure the host."""
    kept = choose("root", shared=["pid", "net", "ipc"])
    gone = {"sys_ptrace", "kill", "sys_nice", "net_admin", "net_raw", "ipc_owner"}
    assert set(names(DEBUGGER & ~kept.effective)) == gone
    assert kept.bounding == kept.effective
    assert set(names(DEBUGGER & ~choose("root", shared=["net"]).effective)) == {"net_admin", "net_raw"}
    granted = choose("root", shared=["pid"], added=["SYS_PTRACE", "cap_sys_time"])
    assert set(names(granted.effective & ~kept.effective)) >= {"sys_ptrace", "sys_time"}
    assert choose("1000", added=["sys_time"]).effective == 0
    with pytest.raises(InvalidInput, match="has the target's rights"):
        choose("target", added=["kill"])
    with pytest.raises(InvalidInput, match="no such capability"):
        choose("root", added=["everything"])


def test_a_tracer_may_trace_the_kernel_beside_it_and_change_nothing_of_it():
    assert choose("tracer").effective == choose("tracer").bounding == TRACER
    assert set(names(TRACER & ~DEBUGGER)) == {"bpf", "perfmon", "syslog"}


def test_nobody_is_a_tracer_in_a_user_namespace_or_without_the_rights():
    with pytest.raises(Refused, match="user namespace"):
        choose("tracer", uid_map=REMAPPED)
    with pytest.raises(Refused, match=r"can't be given here: bpf$"):
        choose("tracer", own=TRACER & ~mask("bpf"))
    assert choose("tracer", own=TRACER & ~mask("kill")).effective == TRACER & ~mask("kill")


def test_a_target_user_keeps_its_capabilities_over_the_execve():
    chosen = choose("target", target(uid=1000, effective=mask("net_raw"), permitted=mask("net_raw")))
    assert (chosen.ambient, chosen.inheritable, chosen.effective) == (mask("net_raw"),) * 3


def test_a_target_root_is_left_to_the_kernels_own_rule():
    chosen = choose("target", target(effective=mask("chown"), permitted=mask("chown"), bounding=mask("chown")))
    assert (chosen.ambient, chosen.bounding) == (0, mask("chown"))


def test_the_root_of_a_user_namespace_is_a_root():
    chosen = choose("target", target(uid=100000, effective=mask("chown"), permitted=mask("chown")), uid_map=REMAPPED)
    assert (chosen.uid, chosen.ambient, chosen.inheritable) == (0, 0, 0)


def test_ids_are_translated_into_the_targets_user_namespace():
    chosen = choose("target", target(uid=101000, gid=100007, groups=(100007, 5)), uid_map=REMAPPED)
    assert (chosen.uid, chosen.gid, chosen.groups) == (1000, 7, (7, 65534))
    assert inside(99999, REMAPPED) == 65534


@pytest.mark.parametrize(("text", "uid", "gid"), [("12", 12, 12), ("12:34", 12, 34), ("0:0", 0, 0)])
def test_numbers_name_a_user_and_a_group(text: str, uid: int, gid: int):
    chosen = choose(text)
    assert (chosen.uid, chosen.gid, chosen.groups) == (uid, gid, (gid,))
    assert chosen.effective == (DEBUGGER if uid == 0 else 0)


@pytest.mark.parametrize(
    ("identity", "confined"),
    [
        ("root", False),
        ("tracer", False),
        ("0", False),
        ("00:5", False),
        ("target", True),
        ("1000", True),
        ("1000:0", True),
    ],
)
def test_what_confines_the_target_confines_its_users_and_no_debugger(identity: str, confined: bool):
    assert is_confined(identity) is confined
    assert choose(identity, target(no_new_privileges=True)).no_new_privileges is confined
    assert not choose(identity).no_new_privileges


@pytest.mark.parametrize("text", ["", "me", "1:", ":1", "-1", "1:x", "4294967295", "\u0661", "1 "])
def test_anything_else_is_refused(text: str):
    with pytest.raises(InvalidInput, match="no such identity"):
        choose(text)


def test_a_status_of_proc_is_read_with_the_effective_ids():
    text = "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nCapEff:\t00000000a80425fb\nNoNewPrivs:\t1\n"
    status = parse_status(text)
    assert (status.uid, status.gid, status.groups, status.effective) == (2, 6, (9, 10), 0xA80425FB)
    assert status.no_new_privileges
    assert (status.seccomp, status.ambient) == (0, 0)
