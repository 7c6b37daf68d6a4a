"""Variables of the container that reached the toolbox's programs, and had them run its code unasked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pexpect
import pytest

from support.attacks import Lab

EVIL = "#!/bin/sh\necho ran >> /tmp/ran\n"
MODULE = """
static void __attribute__((constructor)) begin(void)
{
	static const char path[] = "/tmp/ran";
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(85L), "D"(path), "S"(0644L) : "rcx", "r11", "memory");
}
"""
CONFIGURATION = """
openssl_conf = begin
[begin]
providers = all
[all]
default = usual
evil = evil
[usual]
activate = 1
[evil]
module = /evil.so
activate = 1
"""
T = "/dev/.pyd/bin"
LINES = {
    "TAR_OPTIONS=--checkpoint=1 --checkpoint-action=exec=/bin/evil": f"{T}/tar -C / -cf /dev/null etc bin",
    "LESSOPEN=|/bin/evil %s": f"{T}/less /etc/passwd </dev/null",
    "LESSCLOSE=/bin/evil %s %s": f"LESSOPEN='|cat %s' {T}/less /etc/passwd </dev/null",
    "RIPGREP_CONFIG_PATH=/etc/rg": f"{T}/rg root /etc/passwd",
    "OPENSSL_CONF=/etc/evil.cnf": f"{T}/openssl list -providers",
    "BASH_ENV=/bin/evil": f"{T}/bash -c true",
    "LD_PRELOAD=/evil.so": f"{T}/ls /",
    "LD_AUDIT=/evil.so": f"{T}/ls /",
}


@pytest.fixture(scope="module")
def trap(docker_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with programs, modules and settings that note that they were run."""
    module = tmp_path_factory.mktemp("trap") / "evil.so"
    source = module.with_suffix(".c")
    source.write_text(MODULE)
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-o", module, source], check=True)
    files: dict[str, bytes | Path | str] = {
        "bin/evil": EVIL,
        "evil.so": module,
        "etc/evil.cnf": CONFIGURATION,
        "etc/rg": "--pre=/bin/evil\n",
        "etc/inputrc": '"\\C-m": "\\C-e; /bin/evil\\C-j"\n',
    }
    return docker_lab.build("trap", files)


@pytest.mark.parametrize("variable", LINES)
def test_no_variable_has_a_tool_run_the_containers_code(docker_lab: Lab, trap: str, variable: str):
    name = docker_lab.start("variable", image=trap, options=("-e", variable))
    done = docker_lab.debug(name, "-c", LINES[variable])
    assert not (docker_lab.root(name) / "tmp/ran").exists(), done
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "variable",
    ["PS0=$(/bin/evil)", "PS1=$(/bin/evil)", "PROMPT_COMMAND=/bin/evil", "MAILPATH=/etc/passwd?$(/bin/evil)",
     "INPUTRC=/etc/inputrc"],
)  # fmt: skip
@pytest.mark.parametrize("shell", ["bash", "pyd"])
def test_no_variable_has_a_shell_run_the_containers_code(docker_lab: Lab, trap: str, shell: str, variable: str):
    name = docker_lab.start("shell", image=trap, options=("-e", variable, "-e", "MAILCHECK=0"))
    program, *arguments = docker_lab.command(name, options=("--shell", shell))
    child = pexpect.spawn(program, arguments, encoding="utf-8", timeout=120, env=docker_lab.environment())
    try:
        child.expect(name)
        child.expect("[#$>\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}] ?")
        child.send("echo $((6 * 7)); touch /etc/passwd\r")
        child.expect("42")
        child.send("echo $((6 * 8))\r")
        child.expect("48")
        child.send("exit\r")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert not (docker_lab.root(name) / "tmp/ran").exists()


def test_a_builtin_that_copies_runs_no_code_of_the_containers(docker_lab: Lab, trap: str, tmp_path: Path):
    """`get` and `put` run the toolbox's tar: with the container's TAR_OPTIONS it ran what those named."""
    variable = "TAR_OPTIONS=--checkpoint=1 --checkpoint-action=exec=/bin/evil"
    name = docker_lab.start("copies", image=trap, options=("-e", variable))
    done = docker_lab.debug(name, "-b", f"get /bin {tmp_path}/copy")
    assert (tmp_path / "copy").is_dir(), done
    assert not (docker_lab.root(name) / "tmp/ran").exists(), done
