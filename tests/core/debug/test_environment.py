"""The environment a session's command gets."""

from __future__ import annotations

import pytest

from pyd_core.debug.environment import (
    DEFAULT_PATH,
    FIRST_PATH,
    TOOL_PATH,
    build_environment,
    file_names,
    tool_environment,
)


def build(
    *own: str, terminal: str = "", name: str = "web", has: tuple[str, ...] = (), tools_first: bool = True
) -> dict[str, str]:
    tools = dict.fromkeys(file_names(), True)
    return build_environment(
        own,
        terminal=terminal,
        name=name,
        home="/home/app",
        exists=has.__contains__,
        tools=tools,
        tools_first=tools_first,
    )


def test_base_tools_come_before_the_containers_programs_and_others_after_them():
    assert build("PATH=/opt/app/bin")["PATH"] == f"{FIRST_PATH}:/opt/app/bin:{TOOL_PATH}"
    assert build()["PATH"] == f"{FIRST_PATH}:{DEFAULT_PATH}:{TOOL_PATH}"


def test_the_containers_programs_come_first_on_request():
    assert build("PATH=/opt/app/bin", tools_first=False)["PATH"] == f"/opt/app/bin:{TOOL_PATH}"


def test_the_containers_variables_stay_and_win():
    environment = build("HOME=/srv", "LANG=de_DE", "A=b=c", "EMPTY=", "malformed")
    assert (
        environment["HOME"],
        environment["LANG"],
        environment["A"],
        environment["EMPTY"],
        environment["malformed"],
    ) == (
        "/srv",
        "de_DE",
        "b=c",
        "",
        "",
    )


def test_a_library_path_is_the_containers_or_none():
    assert "LD_LIBRARY_PATH" not in build()
    assert build("LD_LIBRARY_PATH=/opt/lib")["LD_LIBRARY_PATH"] == "/opt/lib"


def test_nothing_that_runs_code_unasked_passes():
    assert (
        not {"BASH_ENV", "LD_PRELOAD", "PROMPT_COMMAND"}
        & build("BASH_ENV=x", "LD_PRELOAD=x", "PROMPT_COMMAND=x").keys()
    )


@pytest.mark.parametrize(
    "name",
    [
        *("LESSOPEN", "LESSCLOSE", "LESS", "LESSKEYIN", "PAGER", "GIT_SSH_COMMAND", "GIT_PAGER", "OPENSSL_CONF"),
        *("OPENSSL_MODULES", "GCONV_PATH", "LOCPATH", "GLIBC_TUNABLES", "LD_DEBUG_OUTPUT", "LD_PROFILE", "INPUTRC"),
        *("PS0", "PS4", "MAILPATH", "BASH_LOADABLES_PATH", "BASH_FUNC_cd%%", "TAR_OPTIONS", "RIPGREP_CONFIG_PATH"),
        *("TERMINFO", "VIMINIT", "EXINIT", "EDITOR", "VISUAL", "DEBUGINFOD_URLS", "CURL_HOME", "GETCONF_DIR"),
    ],
)
def test_nothing_by_which_a_tool_would_run_the_containers_code_passes(name: str):
    """A container's LESSOPEN, OPENSSL_CONF, PS0 and the like reached the programs of the toolbox."""
    environment = build(f"{name}=/trap")
    assert environment.get(name) != "/trap"


def test_a_builtins_program_has_nothing_that_loads_code_and_the_containers_own_has():
    own = ("PYTHONPATH=/app", "NODE_OPTIONS=-r /app/x.js", "PERL5OPT=-MX", "RUBYOPT=-rx", "LD_LIBRARY_PATH=/lib", "A=b")
    session = build(*own)
    assert {pair.partition("=")[0] for pair in own} <= session.keys()
    tool = tool_environment(session)
    assert {"PYTHONPATH", "NODE_OPTIONS", "PERL5OPT", "RUBYOPT", "LD_LIBRARY_PATH"} & tool.keys() == set()
    assert (tool["A"], tool["PYTHON_HISTORY"], tool["PATH"]) == ("b", "/dev/null", session["PATH"])


def test_keys_mean_what_they_do_without_the_container():
    """The container's /etc/inputrc had the enter key run its commands."""
    assert build("INPUTRC=/trap")["INPUTRC"].startswith("/dev/.pyd/")


def test_no_program_is_to_write_a_history_or_settings_into_the_containers_home():
    environment = build("HISTFILE=/data/history", "HTOPRC=/data/htoprc")
    assert environment["HISTFILE"] == ""
    assert {environment[name] for name in ("HTOPRC", "PSQL_HISTORY", "SQLITE_HISTORY")} == {"/dev/null"}


def test_the_containers_certificates_are_used_where_it_has_some():
    assert "SSL_CERT_FILE" not in build(has=("/etc/ssl/certs/ca-certificates.crt",))
    assert build(has=("/etc/pki/tls/certs/ca-bundle.crt",))["SSL_CERT_FILE"] == "/etc/pki/tls/certs/ca-bundle.crt"
    assert build()["SSL_CERT_FILE"].startswith("/dev/.pyd/")
    assert build("SSL_CERT_FILE=/own")["SSL_CERT_FILE"] == "/own"


def test_our_files_stand_in_for_what_the_container_lacks():
    assert build()["MAGIC"].startswith("/dev/.pyd/")
    assert "MAGIC" not in build(has=("/usr/share/misc/magic.mgc",))


def test_a_prompt_only_on_a_terminal_and_no_command_in_a_name():
    assert not {"TERM", "PS1"} & build().keys()
    environment = build(terminal="xterm", name="x`id`$(id)\\u")
    assert "web" in build(terminal="xterm")["PS1"]
    assert "`" not in environment["PS1"]
    assert "$(" not in environment["PS1"]
