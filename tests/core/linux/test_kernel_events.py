"""Real lines of several kernels, shortened where they only repeat."""

# ruff: noqa: E501 - lines are as the kernel wrote them
from __future__ import annotations

from pyd_core.linux.kernel_events import KernelEvents, find_events
from pyd_core.linux.kmsg import KernelLog, KernelMessage

ID = "4885a549cee2a194f97cf7b5d46536e4b89c5093da45683343b16fba10cc55d5"

LINUX_6_18 = f"""hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
CPU: 1 UID: 0 PID: 13613 Comm: hog Not tainted 6.18.44 #1 PREEMPT(full)
memory: usage 20480kB, limit 20480kB, failcnt 21
Memory cgroup stats for /docker/{ID}:
cache 0
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
[  13589]     0 13589      578      348        0      348         0    36864        0             0 sh
[  13613]     0 13613     5382     5108     4992      116         0    81920        0             0 hog
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={ID},mems_allowed=0,oom_memcg=/docker/{ID},task_memcg=/docker/{ID},task=hog,pid=13613,uid=0
Memory cgroup out of memory: Killed process 13613 (hog) total-vm:21528kB, anon-rss:19968kB, file-rss:464kB, shmem-rss:0kB, UID:0 pgtables:80kB oom_score_adj:0"""

LINUX_4_15 = f"""java invoked oom-killer: gfp_mask=0x14000c0(GFP_KERNEL), nodemask=(null), order=0, oom_score_adj=0
Task in /docker/{ID} killed as a result of limit of /docker/{ID}
memory: usage 524288kB, limit 524288kB, failcnt 3345
[ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[ 4217]  1000  4217   965345   130012  1413120        0             0 java
Memory cgroup out of memory: Kill process 4217 (java) score 996 or sacrifice child
Killed process 4217 (java) total-vm:3861380kB, anon-rss:516104kB, file-rss:3944kB, shmem-rss:0kB"""

WHOLE_MACHINE = f"""systemd-journal invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    310]     0   310     8200      912    98304        0         -1000 systemd-journal
[   9001]   999  9001   812345   700000  6553600        0             0 postgres
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/system.slice/docker-{ID}.scope,task=postgres,pid=9001,uid=999
Out of memory: Killed process 9001 (postgres) total-vm:3249380kB, anon-rss:2800000kB, file-rss:0kB, shmem-rss:0kB, UID:999 pgtables:6400kB oom_score_adj:0"""

LINUX_3_10 = f"""httpd invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0
Task in /docker/{ID} killed as a result of limit of /docker/{ID}
memory: usage 65536kB, limit 65536kB, failcnt 120
[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name
[ 2911]     0  2911     1540      310       7        0             0 sh
[ 2950]    48  2950    70211    15876     140        0             0 httpd
Memory cgroup out of memory: Kill process 2950 (httpd) score 970 or sacrifice child
Killed process 2950 (httpd) total-vm:280844kB, anon-rss:62044kB, file-rss:1460kB, shmem-rss:0kB"""

LINUX_5_10 = f"""node invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
memory: usage 102400kB, limit 102400kB, failcnt 812
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[   5120]  1000  5120   160210    24900  1110016        0             0 node
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={ID},mems_allowed=0,oom_memcg=/system.slice/docker-{ID}.scope,task_memcg=/system.slice/docker-{ID}.scope,task=node,pid=5120,uid=1000
Memory cgroup out of memory: Killed process 5120 (node) total-vm:640840kB, anon-rss:97220kB, file-rss:2380kB, shmem-rss:0kB, UID:1000 pgtables:1084kB oom_score_adj:0
oom_reaper: reaped process 5120 (node), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"""

GROUP_KILL_6_1 = f"""worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
memory: usage 51200kB, limit 51200kB, failcnt 40
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    700]     0   700      600      300    40960        0             0 main app
[    701]     0   701    12000    11000   130000        0             0 worker
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/machine.slice/libpod-{ID}.scope,task_memcg=/machine.slice/libpod-{ID}.scope/container,task=worker,pid=701,uid=0
Memory cgroup out of memory: Killed process 701 (worker) total-vm:48000kB, anon-rss:44000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:127kB oom_score_adj:0
Tasks in /machine.slice/libpod-{ID}.scope are going to be killed due to memory.oom.group set
Memory cgroup out of memory: Killed process 700 (main app) total-vm:2400kB, anon-rss:200kB, file-rss:1000kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0"""

OLD_FAULTS = """httpd[2950]: segfault at 10 ip 00007f2a1b2c3d4e sp 00007ffd00112233 error 4 in libc-2.17.so[7f2a1b200000+1c2000]
Web Content[412]: segfault at 0 ip 000055d0c0ffee00 sp 00007ffe00000010 error 6 in app[55d0c0f00000+20000]
traps: a.out[31337] general protection ip:7f0012345678 sp:7ffc00000000 error:0 in libc-2.31.so[7f0012300000+178000]
traps: demo[99] trap invalid opcode ip:400526 sp:7ffe00000000 error:0 in demo[400000+1000]"""

FAULTS = """segv[13671]: segfault at 8 ip 000000000040146e sp 00007ffe35bb0b38 error 6 in segv[146e,401000+72000] likely on CPU 1
python3[812]: segfault at 0 ip 00007f1e2b3c4d5e sp 00007ffc12345678 error 4 in libfoo.so.1[7f1e2b3c0000+5000]
traps: abrt[14505] general protection fault ip:40117d sp:7ffd6a3746b0 error:0 in abrt[117d,401000+72000]
traps: fpe[14709] trap divide error ip:401602 sp:7ffcce40a320 error:0 in fpe[1602,401000+72000]
traps: node[22] trap invalid opcode ip:9f1e2a sp:7ffcc181a290 error:0 in node[400000+1e00000]
app[77]: unhandled exception: DABT (lower EL), ESR 0x92000046, level 2 translation fault in app[400000+2000]"""

AUDIT = (
    "audit: type=1326 audit(1795473204.779:2): auid=4294967295 uid=0 gid=0 ses=4294967295 pid=17447 "
    'comm="mkdir" exe="/bin/busybox" sig=31 arch=c000003e syscall=83 compat=0 ip=0x4cc057 code=0x80000000'
)


def parse(text: str, *, priority: int = 6) -> KernelEvents:
    lines = enumerate(text.splitlines())
    records = [KernelMessage(priority=priority, sequence=n, time_ns=n * 1000, text=line) for n, line in lines]
    return find_events(KernelLog(records=tuple(records)))


def test_a_cgroup_kill_names_its_group_victim_limit_and_who_was_weighed() -> None:
    (kill,) = parse(LINUX_6_18).ooms
    assert (kill.pid, kill.name, kill.anon_bytes) == (13613, "hog", 19968 * 1024)
    assert kill.limit_cgroup == kill.task_cgroup == f"/docker/{ID}"
    assert kill.limit_bytes == 20480 * 1024
    assert [(task.pid, task.name) for task in kill.tasks] == [(13589, "sh"), (13613, "hog")]
    assert not kill.whole_machine


def test_kernels_before_5_0_name_the_group_in_a_line_of_its_own() -> None:
    (kill,) = parse(LINUX_4_15).ooms
    assert (kill.pid, kill.task_cgroup, kill.limit_cgroup) == (4217, f"/docker/{ID}", f"/docker/{ID}")
    assert kill.limit_bytes == 512 * 2**20
    assert [task.name for task in kill.tasks] == ["java"]


def test_the_reports_of_centos_7_debian_11_and_group_kills_are_read_alike() -> None:
    (old,) = parse(LINUX_3_10).ooms
    assert (old.pid, old.name, old.limit_bytes, old.anon_bytes) == (2950, "httpd", 64 * 2**20, 62044 * 1024)
    assert ID in old.task_cgroup
    assert [task.pid for task in old.tasks] == [2911, 2950]
    (newer,) = parse(LINUX_5_10).ooms
    assert (newer.pid, newer.limit_bytes) == (5120, 100 * 2**20)
    assert newer.limit_cgroup == f"/system.slice/docker-{ID}.scope"
    first, second = parse(GROUP_KILL_6_1).ooms
    assert [(kill.pid, kill.name) for kill in (first, second)] == [(701, "worker"), (700, "main app")]
    assert all(ID in kill.task_cgroup and not kill.whole_machine for kill in (first, second))


def test_a_kill_the_kernel_no_longer_describes_is_not_put_down_to_the_one_before() -> None:
    """Ten kills in five seconds are described; then only the victims are named (`oom_kill_process` in Linux 6.18)."""
    stranger = (
        "Memory cgroup out of memory: Killed process 24139 (hog) total-vm:21528kB, anon-rss:19968kB, file-rss:460kB"
    )
    member = "Memory cgroup out of memory: Killed process 13589 (sh) total-vm:2312kB, anon-rss:0kB, file-rss:1392kB"
    suppressed = "oom_kill_process: 2 callbacks suppressed"
    first, own, other, again = parse(f"{LINUX_6_18}\n{member}\n{stranger}\n{suppressed}\n{LINUX_6_18}").ooms
    assert own.task_cgroup == first.task_cgroup == again.task_cgroup == f"/docker/{ID}"
    assert (other.pid, other.task_cgroup, other.tasks, other.limit_bytes) == (24139, "", (), None)
    assert not other.whole_machine


def test_the_victims_of_a_group_kill_that_is_not_described_are_the_groups() -> None:
    group = f"Tasks in /machine.slice/libpod-{ID}.scope are going to be killed due to memory.oom.group set"
    victim = "Memory cgroup out of memory: Killed process 701 (worker) total-vm:48000kB, anon-rss:44000kB, file-rss:0kB"
    rest = "Memory cgroup out of memory: Killed process 700 (main app) total-vm:2400kB, anon-rss:200kB, file-rss:0kB"
    _, chosen, member = parse(f"{LINUX_6_18}\n{victim}\n{group}\n{rest}").ooms
    assert (chosen.pid, chosen.task_cgroup) == (701, "")
    assert (member.pid, member.task_cgroup) == (700, f"/machine.slice/libpod-{ID}.scope")


def test_faults_of_older_kernels_and_of_names_with_spaces() -> None:
    assert [(fault.name, fault.pid, fault.kind, fault.where) for fault in parse(OLD_FAULTS).faults] == [
        ("httpd", 2950, "segfault", "libc-2.17.so"),
        ("Web Content", 412, "segfault", "app"),
        ("a.out", 31337, "general protection", "libc-2.31.so"),
        ("demo", 99, "invalid opcode", "demo"),
    ]


def test_a_machine_out_of_memory_is_told_from_a_limit() -> None:
    (kill,) = parse(WHOLE_MACHINE).ooms
    assert kill.whole_machine
    assert ID in kill.task_cgroup


def test_one_report_does_not_leak_into_the_next() -> None:
    second = "\n".join(WHOLE_MACHINE.splitlines())
    kills = parse(LINUX_6_18 + "\n" + second).ooms
    assert [kill.whole_machine for kill in kills] == [False, True]
    assert kills[1].limit_bytes is None
    assert "hog" not in {task.name for task in kills[1].tasks}


def test_faults_name_the_program_the_kind_and_the_object() -> None:
    faults = parse(FAULTS).faults
    assert [(fault.name, fault.pid, fault.kind, fault.where) for fault in faults[:5]] == [
        ("segv", 13671, "segfault", "segv"),
        ("python3", 812, "segfault", "libfoo.so.1"),
        ("abrt", 14505, "general protection fault", "abrt"),
        ("fpe", 14709, "divide error", "fpe"),
        ("node", 22, "invalid opcode", "node"),
    ]
    assert faults[5].name == "app"


def test_a_seccomp_record_names_the_call() -> None:
    (kill,) = parse(AUDIT).seccomp
    assert (kill.pid, kill.name, kill.program, kill.syscall) == (17447, "mkdir", "/bin/busybox", 83)


def test_a_logged_call_that_killed_nobody_is_no_kill() -> None:
    assert parse(AUDIT.replace("sig=31", "sig=0")).seccomp == ()


def test_refused_forks_name_the_group() -> None:
    (fork,) = parse(f"cgroup: fork rejected by pids controller in /docker/{ID}").forks
    assert fork.cgroup == f"/docker/{ID}"


def test_what_a_program_writes_into_the_log_is_no_evidence() -> None:
    for text in (LINUX_6_18, FAULTS, AUDIT):
        events = parse(text, priority=12)
        assert events == KernelEvents()


def test_lines_cut_short_or_made_up_break_nothing() -> None:
    for text in (
        "Killed process",
        "oom-kill:",
        "[ x ]",
        "a[1]: segfault at",
        "type=1326",
        "memory: usage xkB",
        "traps: ",
    ):
        assert parse(text) == KernelEvents()
