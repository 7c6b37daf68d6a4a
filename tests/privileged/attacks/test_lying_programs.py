"""A container that lies: its programs, preloads and start-up files must not mislead users of the debug shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.attacks import Lab

LIE = "#!/bin/sh\necho ran >> /tmp/ran\necho nothing to see here\n"
PROGRAMS = ("ls", "ps", "cat", "grep", "ss", "find", "id", "env", "which", "awk", "lsof", "top", "less", "bash", "stat")
PRELOAD = """
static void __attribute__((constructor)) begin(void)
{
	static const char path[] = "/tmp/ran";
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(85L), "D"(path), "S"(0644L) : "rcx", "r11", "memory");
}
"""


@pytest.fixture(scope="module")
def liar(docker_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A container whose programs, preload and start-up files all note that they were run."""
    module = tmp_path_factory.mktemp("liar") / "evil.so"
    source = module.with_suffix(".c")
    source.write_text(PRELOAD)
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-o", module, source], check=True)
    files: dict[str, bytes | Path | str] = {f"usr/local/bin/{name}": LIE for name in PROGRAMS}
    files |= {
        "evil.so": module,
        "etc/ld.so.preload": "/evil.so\n",
        "etc/profile": "echo ran >> /tmp/ran\n",
        "etc/bash.bashrc": "echo ran >> /tmp/ran\n",
        "etc/bashrc": "echo ran >> /tmp/ran\n",
        "root/.bashrc": "echo ran >> /tmp/ran\n",
        "root/.profile": "echo ran >> /tmp/ran\n",
        "root/.inputrc": '"\\C-m": "\\C-e; /usr/local/bin/ls\\C-j"\n',
        "etc/inputrc": '"\\C-m": "\\C-e; /usr/local/bin/ls\\C-j"\n',
        **{
            f"{directory}/{name[0]}/{name}": b"\x1a\x01" + b"\xff" * 64
            for directory in ("etc/terminfo", "root/.terminfo", ".terminfo")
            for name in ("xterm", "xterm-256color", "tmux", "alacritty")
        },
    }
    image = docker_lab.build("liar", files)
    variables = ("PATH=/usr/local/bin:/bin", "LD_PRELOAD=/evil.so", "BASH_ENV=/etc/profile", "ENV=/etc/profile",
                 "PROMPT_COMMAND=/usr/local/bin/ls", "TERMINFO=/etc/terminfo")  # fmt: skip
    options = [word for variable in variables for word in ("-e", variable)]
    return docker_lab.start("liar", image=image, options=options)


def ran(lab: Lab, name: str) -> bool:
    return (lab.root(name) / "tmp/ran").exists()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_poisoned_program_is_not_the_one_that_runs(docker_lab: Lab, liar: str, name: str):
    done = docker_lab.debug(liar, "-c", f"type -P {name}")
    assert done.stdout.strip() == f"/dev/.pyd/first/{name}"


def test_what_users_run_first_shows_the_truth(docker_lab: Lab, liar: str):
    line = (
        "ls -d /usr/local/bin/ls; ps -p 1 -o pid=; cat /etc/ld.so.preload; id -u; bash -c 'echo sane'; sh -c 'echo so'"
    )
    done = docker_lab.debug(liar, "-c", line)
    assert done.stdout.split() == ["/usr/local/bin/ls", "1", "/evil.so", "0", "sane", "so"]
    assert not ran(docker_lab, liar), done


def test_a_program_of_the_session_is_found_among_the_tools_too(docker_lab: Lab, liar: str):
    done = docker_lab.debug(liar, "--", "ls", "-d", "/usr/local/bin/ls")
    assert done.stdout.strip() == "/usr/local/bin/ls"
    assert not ran(docker_lab, liar), done


@pytest.mark.parametrize("tool", ["ls /", "python3 -I -c pass", "curl --version", "gawk 1 /dev/null", "vim --version"])
def test_no_preload_reaches_a_tool(docker_lab: Lab, liar: str, tool: str):
    done = docker_lab.debug(liar, "-c", f"@{tool} >/dev/null")
    assert done.returncode == 0, done.stderr
    assert not ran(docker_lab, liar), done


def test_no_start_up_file_runs_in_a_shell_that_is_asked_for_them(docker_lab: Lab, liar: str):
    done = docker_lab.debug(liar, "-c", "echo 6 | cat; bash -c :; sh -c :")
    assert done.stdout == "6\n"
    assert not ran(docker_lab, liar), done


def test_a_poisoned_terminal_description_garbles_nothing(docker_lab: Lab, liar: str):
    for name in ("xterm", "xterm-256color", "tmux", "alacritty"):
        done = docker_lab.debug(liar, "-c", f"infocmp {name} | head -n 1")
        assert done.stdout.split()[-1] == f"/dev/.pyd/share/terminfo/{name[0]}/{name}", done.stderr


def test_the_containers_own_program_runs_on_request_only(docker_lab: Lab, liar: str):
    done = docker_lab.debug(liar, "-c", "@target ls; @target nothing; echo $?")
    assert done.stdout.split("\n")[:2] == ["nothing to see here", "127"]
    assert ran(docker_lab, liar)
    (docker_lab.root(liar) / "tmp/ran").unlink()


def test_the_containers_programs_come_first_where_that_is_asked_for(docker_lab: Lab, liar: str):
    done = docker_lab.debug(liar, "-c", "ls", options=("--path", "container"))
    assert done.stdout == "nothing to see here\n"
    (docker_lab.root(liar) / "tmp/ran").unlink()


def test_languages_are_the_containers_own(docker_lab: Lab, liar: str):
    done = docker_lab.debug(liar, "-c", "type -P python3; ls /dev/.pyd/first | grep -c python || true")
    assert done.stdout.split() == ["/dev/.pyd/bin/python3", "0"]
