from __future__ import annotations

import subprocess

import pytest

from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.config.settings import UserCommand, UserSettings
from pyd_tui.dashboard.actions.external_commands import compose_line
from pyd_tui.dashboard.actions.user_commands import command_line, values
from pyd_tui.dashboard.input.commands import complete
from pyd_tui.dashboard.input.fuzzy import best
from pyd_tui.dashboard.startup.settings_check import problems

HOSTILE = "a b'; touch /tmp/no; $(id) `id` \"\\ {x} \n*"


@pytest.mark.parametrize("template", ["printf %s {name}", "printf %s '{name}'", 'printf %s "{name}"'])
def test_no_value_adds_a_word_or_a_command(template: str):
    entry = ContainerInfo(id="1", name=HOSTILE, image="i")
    argv, variables = command_line(UserCommand(name="c", run=template), values(entry))
    assert argv == ["printf", "%s", HOSTILE]
    assert variables == {}


def test_a_shell_gets_values_as_variables_and_never_runs_them():
    command = UserCommand(name="c", run='printf "%s|" "{name}" "{my file}" | cat', shell=True, prompts=("my file",))  # noqa: S604 - a setting
    given = {**values(ContainerInfo(id="1", name=HOSTILE)), "my file": "$(echo owned)"}
    argv, variables = command_line(command, given)
    assert HOSTILE not in argv[2]
    output = subprocess.run(argv, env={"PATH": "/bin:/usr/bin", **variables}, capture_output=True, check=True).stdout
    assert output.decode() == f"{HOSTILE}|$(echo owned)|"


def test_a_broken_command_is_reported_with_its_setting():
    commands = (
        UserCommand(name="ok", run="x {name} {{literal}} {path}", prompts=("path",)),
        UserCommand(name="field", run="x {nme}"),
        UserCommand(name="quote", run="x 'y"),
        UserCommand(name="brace", run="x {name"),
        UserCommand(name="ok", run="x"),
        UserCommand(name="images", run="  "),
    )
    reported = [(problem.steps[1], problem.message) for problem in problems(UserSettings(commands=commands))]
    assert reported == [
        ("1", "field: there is no field nme"),
        ("2", "quote: no closing quotation"),
        ("3", "brace: expected '}' before end of string"),
        ("4", "there is a command ok already"),
        ("5", "images runs nothing"),
        ("5", "there is a command images already"),
    ]


def test_compose_is_called_with_the_files_of_the_project(tmp_path: object):
    file = f"{tmp_path}/compose.yml"
    labels = {
        "com.docker.compose.project.config_files": file,
        "com.docker.compose.project.working_dir": str(tmp_path),
    }
    entry = ContainerInfo(id="1", name="shop-web-1", project="shop", labels=labels)
    assert compose_line(["docker", "compose"], entry, "restart") == ["docker", "compose", "-p", "shop", "restart"]
    with pytest.raises(Exception, match="aren't on this machine"):
        compose_line(["docker", "compose"], entry, "up")
    with open(file, "w"):  # noqa: PTH123 - an empty file
        pass
    line = compose_line(["docker-compose"], entry, "up")
    assert line == ["docker-compose", "-p", "shop", "-f", file, "--project-directory", str(tmp_path), "up", "-d"]


def test_tab_completes_a_command_as_far_as_it_is_unambiguous():
    assert [complete(text, ["greet"]) for text in ("im", "com", "ki", "gr", "zz", "")] == [
        "images", "com", "kill ", "greet", "zz", "",
    ]  # fmt: skip
    assert complete("compose re") == "compose restart"
    assert complete("compose st") == "compose st"
    assert complete("kill t") == "kill TERM"
    assert complete("update memory=1g c") == "update memory=1g cpus="


def test_adjacent_letters_and_starts_of_words_rank_first():
    known = [(name, name) for name in ("shop-web-1", "web", "db-web-old", "wide-export-box", "worker")]
    assert [name for name, _ in best("web", known, 3)] == ["web", "db-web-old", "shop-web-1"]
    assert best("wo", known, 9)[0] == ("worker", "worker")
    assert best("zzz", known, 3) == []
    assert len(best("", known, 3)) == 3
