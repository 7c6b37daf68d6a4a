"""The debug shell in a real terminal, on real containers."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from pyd_core.debug.helper.container import LABEL as HELPER
from support.debugging import sessions_left
from support.docker import LONE, Docker, busybox_files
from support.shell import STARTING, TIMEOUT_S, DebugShell
from support.sshd import Sshd
from support.terminal import Opener

Shells = Callable[..., DebugShell]

LOOP = "trap 'exit 0' TERM; echo the last words; while :; do sleep 1; done"


@pytest.fixture(scope="module")
def image(docker: Docker) -> str:
    files = {
        **busybox_files(),
        "only-here/a file.txt": "found\n",
        "etc/passwd": "planted:x:77:77:A user:/only-here:/x\n",
    }
    return docker.image("shell", files, directories=("tmp",), modes={"only-here/a file.txt": 0o644})


@pytest.fixture(scope="module")
def target(docker: Docker, image: str, toolbox: Path) -> str:
    return docker.run("shell", image, "sh", "-c", LOOP, options=(*LONE, "--user", "77"))


@pytest.fixture
def shells(terminal: Opener, pyd: Path, docker: Docker, toolbox: Path, tmp_path: Path) -> Shells:
    def open_shell(*arguments: str) -> DebugShell:
        return DebugShell(terminal, pyd, docker.host, tmp_path / "state", *arguments)

    return open_shell


@pytest.fixture
def remote_shells(terminal: Opener, pyd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shells]:
    """Shells on the engine of this machine, reached through an ssh server."""
    with Sshd(tmp_path / "sshd") as server:
        monkeypatch.setenv("PYD_SSH", server.client)
        yield partial(DebugShell, terminal, pyd, server.url, tmp_path / "state")


def test_one_bash_runs_all_lines_and_the_prompt_tells_how_the_last_ended(shells: Shells, target: str):
    shell = shells(target)
    assert re.search(rf"^{target} \(running\) root:/#$", shell.ready(), re.MULTILINE)
    shell.ask("cd /only-here && export PLANTED=kept && f() { echo fun-$PLANTED; }; echo set", "set")
    assert "root:/only-here#" in shell.ask("f", "fun-kept")
    assert f"{target} (running) root:/only-here [3]#" in shell.ask("(echo three; exit 3)", "three")
    assert "root:/only-here#" in shell.ask("echo was $?", "was 3")
    shell.ask("cat <<END | tr a-z A-Z\nhere\nEND", "HERE")
    shell.ask("for i in 1 2; do\necho item-$i\ndone", "item-2")
    shell.ask("printf 'caf\\xe9 \\xff|'; printf '\\n'", "caf. ?.?\\|.*")
    assert shell.ask("printf unfinished", "unfinished%").count("unfinished%") == 1
    shell.ask("sleep 0.3; echo 'first' && sleep 0.3 & wait; echo 'second'", "second")
    shell.line("exit 7")
    assert shell.terminal.wait_exit(TIMEOUT_S) == 7


def test_control_keys_reach_the_program_and_never_end_the_shell(shells: Shells, target: str):
    shell = shells(target)
    shell.line("sh -c 'echo here; exec sleep 1000'")
    shell.terminal.wait_for(re.compile("^here$", re.MULTILINE))
    shell.terminal.keys("C-c")
    assert "[130]#" in shell.ready()
    # It prints that it continues: before, the interrupt would still be the shell's, which has named it already.
    shell.line("sh -c 'trap \"echo back\" CONT; echo again; while :; do sleep 0.1; done'")
    shell.terminal.wait_for(re.compile("^again$", re.MULTILINE))
    shell.terminal.keys("C-z")
    shell.terminal.wait_for("Stopped")
    assert "&1 [148]#" in shell.ready()
    shell.line("fg")
    shell.terminal.wait_for(re.compile("^back$", re.MULTILINE))
    shell.terminal.keys("C-c")
    shell.ask("echo ended=$?", "ended=130")
    shell.terminal.type("half a line")
    shell.terminal.keys("C-c")
    shell.ask("echo alive", "alive")
    shell.line("sh -c 'echo reads; exec cat'")
    shell.terminal.wait_for(re.compile("^reads$", re.MULTILINE))
    shell.terminal.type("echoed")
    shell.terminal.keys("Enter", "C-d")
    shell.terminal.wait_for(re.compile("^echoed\nechoed$", re.MULTILINE))
    shell.ready()
    shell.terminal.keys("C-d")
    assert shell.terminal.wait_exit(TIMEOUT_S) == 0


def test_the_terminals_size_and_full_screen_programs(shells: Shells, target: str):
    shell = shells(target)
    shell.ask("stty size", "40 110")
    shell.terminal.resize(93, 31)
    shell.ask("stty size", "31 93")
    shell.line("sh -c 'trap \"stty size; exit\" WINCH; echo armed; while :; do sleep 0.1; done'")
    shell.terminal.wait_for(re.compile("^armed$", re.MULTILINE))
    shell.terminal.resize(100, 33)
    shell.terminal.wait_for(re.compile("^33 100$", re.MULTILINE))
    shell.ready()
    shell.line("@vim -c 'set nomore' /etc/passwd")
    shell.terminal.wait_for("planted:x:77")
    assert shell.terminal.alternate
    shell.terminal.keys("Escape")
    shell.terminal.type(":q!")
    shell.terminal.keys("Enter")
    shell.terminal.wait_gone("planted:x:77")
    shell.ready()
    assert not shell.terminal.alternate
    shell.ask("stty -a | tr ' ;' '\\n\\n' | grep -x echo", "echo")


def test_shells_and_tools_with_settings_of_their_own_write_nothing_into_the_containers_home(
    shells: Shells, docker: Docker
):
    image = docker.image("home", busybox_files(), directories=("root", "tmp"))
    name = docker.run("home", image, "sleep", "100000", options=LONE)
    shell = shells(name)
    shell.ready()
    shell.line("@bash")
    shell.terminal.wait_for(re.compile(r"^@bash\S*# ?\s*\Z", re.MULTILINE))
    shell.terminal.type("echo inn''er")
    shell.terminal.keys("Enter")
    shell.terminal.wait_for(re.compile("^inner$", re.MULTILINE))
    shell.terminal.type("exit")
    shell.terminal.keys("Enter")
    shell.ask("echo ba''ck", "back")
    shell.line("@htop")
    shell.terminal.wait_for("Load average")
    shell.terminal.keys("q")
    shell.terminal.wait_gone("Load average")
    shell.ask("echo en''ded", "ended")
    assert docker("diff", name) == ""


def completes(shell: DebugShell, text: str, pattern: str) -> None:
    """Type the beginning of a line, check its completion, and clear it."""
    *tries, last = (3, 3, 3, 6, 6, 12, 24, 48)  # what completes is loaded after the first prompt, and asks a helper
    for bound in (*tries, last):
        shell.ready()
        shell.terminal.type(text)
        shell.terminal.keys("Tab")
        try:
            shell.terminal.wait_for(re.compile(pattern), bound)
        except AssertionError:
            if bound == last:
                raise
        else:
            break
        finally:
            shell.terminal.keys("C-c")


def test_completion_knows_the_targets_files_users_commands_and_names(shells: Shells, target: str):
    shell = shells(target)
    completed = partial(completes, shell)
    completed("cat /only-h", r"cat /only-here/")
    completed("cat '/only-here/a f", r"cat '/only-here/a file.txt'")
    completed("cat /only-here/a", r"cat /only-here/a\\ file.txt")
    completed("echo ~plan", r"echo ~planted/")
    completed("whe", r"whence +builtin: ")
    completed("echo $PYD_TAR", r"echo \$PYD_TARGET")
    completed("sockets --js", r"sockets --json")
    completed("strace-l", r"# strace-log-merge")
    shell.ready()
    shell.terminal.type("cat '/only-here/a f")
    shell.terminal.keys("Tab")
    shell.terminal.wait_for(re.compile(r"file\.txt'\s*\Z"))
    shell.terminal.keys("Enter")
    shell.terminal.wait_for(re.compile("^found$", re.MULTILINE))


def test_builtins_stand_beside_programs_and_feed_them(shells: Shells, target: str, tmp_path: Path):
    shell = shells(target)
    assert "while :; do" in shell.ask("ps | grep -c 'the last words'; ps", ".*COMMAND.*")
    shell.ask("ps --json | jq -r '.[0].pid'", "1")
    shell.ask("whence ls", r"ls +toolbox +/dev/.pyd/first/ls +ls")
    assert "ps(1)" in shell.ask("ps --nonsense || echo refused", "refused")
    shell.ask("why --nonsense; echo continues", "continues")
    shell.ask("builtins", r"whence .*")
    shell.ask("su target", ".*")
    assert f"{target} (running) target:/$" in shell.ask("id -u", "77")
    shell.ask("exit", "exit")
    shell.ask("id -u", "0")
    shell.ask("su nobody", ".*no such identity: 'nobody'.*")
    cast = tmp_path / "session.cast"
    shell.ask(f"record {cast}", "recording to .*")
    assert "● " in shell.ask("echo re''corded; @ls -d /only-here", "/only-here")
    shell.ask("record --stop", "recorded to .*")
    header, *events = map(json.loads, cast.read_text().splitlines())
    assert header["version"] == 2
    assert (header["width"], header["height"]) == (110, 40)
    assert "recorded" in "".join(event[2] for event in events if event[1] == "o")
    assert stat.S_IMODE(cast.stat().st_mode) == 0o600


def test_builtins_ask_a_helper_container_where_the_shell_came_through_one(shells: Shells, target: str):
    shell = shells("--tier", "3", target)
    shell.ready()
    assert "the last words" in shell.ask("ps", ".*COMMAND.*")  # of its main process's command line
    shell.ask("files /only-here --json | jq -r .[].name", "a file.txt")
    completes(shell, "cat '/only-here/a f", r"cat '/only-here/a file.txt'")
    completes(shell, "strace-l", r"# strace-log-merge")
    shell.ask("whence strace", r"strace +toolbox +/dev/.pyd/first/strace +strace")
    shell.ask("cd /only-here; echo there", "there")
    shell.line("su target")
    shell.terminal.wait_for(re.compile(r"\(running\) target:~\$\s*\Z"), STARTING)
    shell.ask("id -u", "77")
    shell.ask("exit", "exit")
    shell.ask("id -u", "0")
    shell.line("exit 4")
    assert shell.terminal.wait_exit(TIMEOUT_S) == 4


def test_builtins_and_the_shell_share_a_stand_in(shells: Shells, docker: Docker, image: str):
    name = docker.create("stood-for", image, "true", options=LONE)
    shell = shells("--tier", "3", name)
    shell.ask("echo changed > /tmp/mark; echo made", "made")
    shell.ask("files /tmp --json | jq -r .[].name", "mark")
    shell.line("su 77")
    shell.terminal.wait_for(re.compile(r"\) 77:/\$\s*\Z"), STARTING)
    shell.ask("cat /tmp/mark", "changed")
    shell.ask("exit", "exit")
    shell.line("exit")
    shell.terminal.wait_for("1 added. Enter: throw away")
    shell.terminal.keys("Enter")
    assert shell.terminal.wait_exit(TIMEOUT_S) == 0
    assert docker("ps", "-aq", "--filter", f"label={HELPER}.target={docker.inspect(name)['Id']}") == ""


def test_in_a_clone_that_waits_builtins_speak_of_what_its_model_starts(shells: Shells, docker: Docker, image: str):
    script = "echo crash''ing; exit 3"
    name = docker.create("held", image, "sh", "-c", script, options=("--network", "none"))
    docker("start", name)
    docker("wait", name)
    shell = shells("--hold", name)
    assert f"{name} (running) root:/#" in shell.ready()
    shell.ask("entrypoint --json | jq -r '.argv[1]'", "-c")
    shell.ask("entrypoint --lint --json | jq -r '.[].id'", "shell-form")
    assert "no-signal-handling" not in shell.ready()
    assert f"{name} (running) root:/ [3]#" in shell.ask("entrypoint --run", "crashing")
    shell.ask("inspect --json Name", f'"/{name}"')
    shell.ask("logs | sed s/^/said:/", "said:crashing")


def test_each_target_has_a_history_of_its_own(shells: Shells, image: str, docker: Docker, tmp_path: Path):
    target = docker.run("remembers", image, "sleep", "1000", options=LONE)
    shell = shells(target)
    shell.ask("echo re''membered", "remembered")
    shell.ask(" echo se''cret", "secret")
    shell.line("exit")
    shell.terminal.wait_exit(TIMEOUT_S)
    (file,) = (tmp_path / "state/pyd/shell").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "re''membered" in file.read_text()
    assert "cret" not in file.read_text()
    again = shells(target)
    again.terminal.keys("C-r")
    again.terminal.type("membe")
    again.terminal.wait_for("echo re''membered")
    again.terminal.keys("Enter", "Enter")
    again.terminal.wait_for(re.compile("^remembered$", re.MULTILINE))
    other = shells(docker.run("other", image, "sleep", "1000", options=LONE))
    other.terminal.keys("Up")
    other.ask("echo nothing''-there", "nothing-there")
    assert "membered" not in other.terminal.history


def test_the_terminal_is_as_it_was_after_the_shell_and_after_a_signal(
    terminal: Opener, pyd: Path, docker: Docker, target: str, tmp_path: Path
):
    variables = {"DOCKER_HOST": docker.host, "XDG_STATE_HOME": str(tmp_path), "PS1": "outer> ", "ENV": ""}
    outer = terminal(["sh", "-i"], (110, 40), variables)
    outer.wait_for("outer>")
    for number, ending in enumerate(("exit 4", "kill")):
        outer.type(f"stty -a > {tmp_path}/before; {pyd} debug {target}; echo code=$?; stty -a > {tmp_path}/after")
        outer.keys("Enter")
        outer.wait_for(re.compile(r"\(running\) root:/#\s*\Z"), STARTING)
        if ending == "kill":
            outer.type("vim")
            outer.keys("Enter")
            outer.wait_for("VIM - Vi IMproved")
            outer.type(":echo 'rea' .. 'ding'")  # comes after the terminal's answers to what vim asks it at its start
            outer.keys("Enter")
            outer.wait_for("reading")
            (child,) = map(int, Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split())
            os.kill(child, signal.SIGTERM)
            outer.wait_for("code=143", TIMEOUT_S)
            assert not outer.alternate
        else:
            outer.type(ending)
            outer.keys("Enter")
            outer.wait_for("code=4", TIMEOUT_S)
        outer.type(f"echo done-{number}''")
        outer.keys("Enter")
        outer.wait_for(re.compile(rf"done-{number}$", re.MULTILINE))
        assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()
    assert sessions_left() == []


def test_the_shell_outlasts_its_target(shells: Shells, docker: Docker, image: str):
    name = docker.run("mortal", image, "sh", "-c", LOOP, options=LONE)
    shell = shells(name)
    shell.ask("touch /tmp/mark; echo made", "made")
    shell.line("sleep 1000")
    docker("kill", name)
    screen = shell.terminal.wait_for("inspect its files")
    assert "SIGKILL" in screen
    assert re.search("^the last words$", screen, re.MULTILINE)
    shell.line("r")
    shell.terminal.wait_for("isn't running yet")
    docker("start", name)
    shell.line("r")
    shell.terminal.wait_for(re.compile(r"\(running\) root:/#\s*\Z"), STARTING)
    docker("kill", name)
    shell.terminal.wait_for(re.compile("inspect its files.*inspect its files", re.DOTALL), TIMEOUT_S)
    shell.line("p")
    shell.terminal.wait_for(re.compile(r"\(exited\) root:/#\s*\Z"), STARTING)
    shell.ask("ls /tmp/mark", "/tmp/mark")
    shell.line("exit")
    assert shell.terminal.wait_exit(TIMEOUT_S) == 0


def test_other_shells_come_as_they_are(terminal: Opener, pyd: Path, docker: Docker, target: str):
    environment = {"DOCKER_HOST": docker.host}
    plain = terminal([pyd, "debug", "--shell", "sh", target], (110, 40), environment)
    plain.wait_for(re.compile(r"[#$]\s*\Z"), STARTING)
    plain.type("echo $0")
    plain.keys("Enter")
    plain.wait_for(re.compile("^sh$", re.MULTILINE))
    lacking = terminal([pyd, "debug", "--shell", "fish", target], (110, 40), environment)
    assert lacking.wait_exit(STARTING) == 127
    assert "fish" in lacking.screen


def test_builtins_are_commands_in_loops_pipes_substitutions_and_after_separators(shells: Shells, target: str):
    shell = shells(target)
    shell.ask("true; limits | grep -c 'open files'", "1")
    shell.ask("for i in 1 2; do caps | grep -c ^seccomp; done | sort | uniq -c | tr -d ' '", "21")
    shell.ask("x=$(ps --json); echo ${#x} | grep -c '^[1-9][0-9][0-9]'", "1")
    shell.ask("p=1; fds $p --json | jq -r type", "array")
    shell.ask("if limits nonsense >/dev/null 2>&1; then echo fine; else echo wrong-$?; fi", "wrong-2")
    shell.ask("(exit 3) || files /only-here --json | jq -r '.[].name'", "a file.txt")
    shell.ask("true; files /only-here | head -c 1 >/dev/null; echo $((40 + 2))", "42")
    shell.ask("env HIDDEN=1 sh -c 'echo hidden-$HIDDEN'; true; env HIDDEN=2 sh -c 'echo hidden-$HIDDEN'", "hidden-2")


def test_ctrl_c_ends_a_builtin_that_bash_runs_and_the_next_one_works(shells: Shells, target: str):
    shell = shells(target)
    for time in range(1, 6):  # the key comes at any point of the function's work
        shell.ready()
        shell.line("true; logs -f")
        shell.terminal.wait_for(re.compile(rf"(^the last words$[\s\S]*){{{time}}}", re.MULTILINE), TIMEOUT_S)
        shell.terminal.keys("C-c")
    shell.ask("true; limits | grep -c 'open files'", "1")


def test_builtins_are_commands_on_an_engine_elsewhere(remote_shells: Shells, target: str, tmp_path: Path):
    shell = remote_shells(target)
    shell.ask("for i in 1 2; do caps | grep -c ^seccomp; done | sort | uniq -c | tr -d ' '", "21")
    shell.ask("x=$(files /only-here --json); (exit 3) || echo $x | jq -r '.[].name'", "a file.txt")
    shell.ask("mkdir /tmp/many; (cd /tmp/many; touch $(seq 4000)); true; files /tmp/many --json | jq length", "4000")
    shell.ask(
        "if limits no >/dev/null 2>&1; then :; else files /tmp/many | head -c 1 >&2; echo wrong-$?; fi", ".?wrong-0"
    )
    shell.ready()
    shell.line("true; logs -f")
    shell.terminal.wait_for("the last words", TIMEOUT_S)
    shell.terminal.keys("C-c")
    flood_with_requests(shell)
    shell.line("exit 4")
    assert shell.terminal.wait_exit(TIMEOUT_S) == 4


def flood_with_requests(shell: DebugShell) -> None:
    """Have a program in a pipe with a builtin ask for more of its answer, and never read it."""
    requests = r"for i in $(seq 30); do printf 'n\0\0' >&197; sleep 0.02; done"
    shell.ready()
    shell.line(f"files /tmp/many --json | ({requests}; echo fl''ood; sleep 1000)")
    shell.terminal.wait_for("flood", TIMEOUT_S)
    shell.terminal.keys("C-c")
    shell.ask("true; limits | grep -c 'open files'", "1")


def test_a_program_that_floods_the_shell_with_requests_does_not_stop_it(shells: Shells, target: str):
    shell = shells(target)
    shell.ask("mkdir -p /tmp/many; (cd /tmp/many; touch $(seq 4000)); echo $?", "0")
    flood_with_requests(shell)


def test_a_program_cannot_call_a_builtin_that_acts_on_this_machine(shells: Shells, target: str, tmp_path: Path):
    shell = shells(target)
    mine = tmp_path / "mine"
    forged = rf"printf 'c\0nget\0t\0d/\0a/only-here\0a{mine}\0\0' >&197; head -n 1 <&196"
    shell.ask(f"echo get; {forged}", "x 0 [0-9]+")
    assert not mine.exists()
    shell.ask(f"true; get /only-here {mine}", "pyd: get works only at the start of a line.*")
    assert not mine.exists()
    hidden = r"printf 'c\0ninsp''ect\0t\0d/\0\0' >&197; head -n 1 <&196"
    shell.ask(hidden, "x 0 [0-9]+")
