"""The environment a session's command gets."""

from __future__ import annotations

from pyd_core.debug.environment import DEFAULT_PATH, TOOL_PATH, build_environment, file_names


def build(*own: str, terminal: str = "", name: str = "web", has: tuple[str, ...] = ()) -> dict[str, str]:
    tools = dict.fromkeys(file_names(), True)
    return build_environment(own, terminal=terminal, name=name, home="/home/app", exists=has.__contains__, tools=tools)


def test_the_containers_programs_are_found_first():
    assert build("PATH=/opt/app/bin")["PATH"] == f"/opt/app/bin:{TOOL_PATH}"
    assert build()["PATH"] == f"{DEFAULT_PATH}:{TOOL_PATH}"


def test_the_containers_variables_stay_and_win():
    found = build("HOME=/srv", "LANG=de_DE", "A=b=c", "EMPTY=", "malformed")
    assert (found["HOME"], found["LANG"], found["A"], found["EMPTY"], found["malformed"]) == (
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


def test_no_program_is_to_write_a_history_or_settings_into_the_containers_home():
    found = build("HISTFILE=/data/history", "HTOPRC=/data/htoprc")
    assert found["HISTFILE"] == ""
    assert {found[name] for name in ("HTOPRC", "PSQL_HISTORY", "SQLITE_HISTORY")} == {"/dev/null"}


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
    found = build(terminal="xterm", name="x`id`$(id)\\u")
    assert "web" in build(terminal="xterm")["PS1"]
    assert "`" not in found["PS1"]
    assert "$(" not in found["PS1"]
