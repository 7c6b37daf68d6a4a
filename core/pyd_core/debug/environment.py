"""The environment of a session: the container's own, and what the tools need to find their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pyd_core.debug.toolbox import PREFIX

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What engines set for images that set none."""

FIRST_PATH = f"{PREFIX}/first"
"""The base tools, which come before the container's programs: a poisoned `ls` must not mislead users."""

TOOL_PATH = f"{PREFIX}/bin:{PREFIX}/sbin:{PREFIX}/forced"
"""All tools, after the container's programs: an application needs its own `python3` or `node`."""

_UNSAFE = frozenset(
    {
        *("ENV", "SHELLOPTS", "BASHOPTS", "EXECIGNORE", "INPUTRC", "FCEDIT", "TMOUT"),
        *("PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT_COMMAND", "MAIL", "MAILPATH"),
        *("GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR", "MALLOC_TRACE"),
        *("PAGER", "MANPAGER", "EDITOR", "VISUAL", "BROWSER", "TERMINFO", "TERMCAP", "TERMPATH"),
        *("VIM", "VIMRUNTIME", "VIMINIT", "GVIMINIT", "EXINIT", "MYVIMRC", "PSQLRC", "PSQL_PAGER", "PSQL_EDITOR"),
        *("CURL_HOME", "SSLKEYLOGFILE", "RIPGREP_CONFIG_PATH", "TAR_OPTIONS", "RSH"),
    }
)
"""Variables by which our shell, loader or tools would run something of the container's unasked, or read settings that
do."""

_UNSAFE_PREFIXES = ("BASH_", "DEBUGINFOD_", "FZF_", "GIT_", "LESS", "OPENSSL_")
"""The same by what the names begin with: functions for bash are `BASH_FUNC_`, and one could be called `cd`."""

_LOADER, _LIBRARY_PATH = "LD_", "LD_LIBRARY_PATH"
"""The dynamic loader's variables, and the one that the container's own programs take to start. Ours find their
libraries without it. A preloaded library fits the container's own C library only."""

_RUNTIME_PREFIXES = ("PYTHON", "PERL", "RUBY", "NODE_", "LUA_")
"""Variables that have an interpreter load code. The container's own programs take them; ours, run by a builtin, are
not to: gdb has a Python, for one."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)
"""Where distributions keep the certificates they trust: Debian and Alpine, Fedora, BSD and Alpine, SUSE."""

_FILES = (
    ("VIMRUNTIME", "share/vim/vim91", "/usr/share/vim"),
    ("MAGIC", "lib/file/magic.mgc", "/usr/share/misc/magic.mgc"),
)
"""Variable, our file, and the container's own that makes it needless."""

_INPUTRC = f"{PREFIX}/inputrc"
"""No file: what keys mean to our shell is neither for the container's /etc/inputrc to say nor for its home's. Where the
variable is unset or empty readline would read both."""

_NOWHERE = {
    "HISTFILE": "",
    "LESSHISTFILE": "-",
    "NODE_REPL_HISTORY": "",
    **dict.fromkeys(("HTOPRC", "PSQL_HISTORY", "PYTHON_HISTORY", "REDISCLI_HISTFILE", "SQLITE_HISTORY"), "/dev/null"),
}
"""What has programs write no history, and htop no settings, into the container's home: they would be traces."""


def build_environment(
    own: Sequence[str],
    *,
    terminal: str,
    name: str,
    home: str,
    exists: Callable[[str], bool],
    tools: Mapping[str, bool],
    tools_first: bool = True,
) -> dict[str, str]:
    """Return the environment of a session's command.

    The container's own variables come first, as its programs must behave as they do without us. On `PATH` the base
    tools come before the container's programs, and other tools after them. Never `LD_LIBRARY_PATH`: our programs know
    their libraries by themselves, and the container's must not meet ours.

    Args:
        own: The container's configured environment, `NAME=VALUE` each.
        terminal: The user's `TERM`; empty without a terminal.
        name: The container's name, safe to show.
        home: The home directory of the session's user.
        exists: Whether a path exists in the container.
        tools: Which files of `_FILES` the toolbox has, by path.
        tools_first: Whether the base tools come before the container's programs.
    """
    pairs = (variable.partition("=") for variable in own)
    variables = {key: value for key, _, value in pairs if key and not _is_unsafe(key)}
    path = f"{variables.get('PATH') or DEFAULT_PATH}:{TOOL_PATH}"
    variables["PATH"] = f"{FIRST_PATH}:{path}" if tools_first else path
    variables.setdefault("HOME", home)
    variables.setdefault("LANG", "C.UTF-8")
    if terminal:
        variables["TERM"] = terminal
        variables["PS1"] = rf"\[\e[1;36m\]{_prompt_text(name)}\[\e[0m\]:\w\$ "
    # Ours come first, before ~/.terminfo too: a description of the container's can have any program write anything.
    variables["TERMINFO"] = f"{PREFIX}/share/terminfo"
    variables["TERMINFO_DIRS"] = f"{PREFIX}/share/terminfo"
    variables["PAGER"] = f"{PREFIX}/bin/less"
    variables |= _NOWHERE
    variables["INPUTRC"] = _INPUTRC
    variables["SHELL"] = f"{PREFIX}/bin/bash"
    variables["PYD_TARGET"] = name
    trusted = next((path for path in _BUNDLES if exists(path)), f"{PREFIX}/certificates.pem")
    if trusted != _BUNDLES[0]:  # our curl and openssl look there by themselves
        variables.setdefault("SSL_CERT_FILE", trusted)
    for variable, ours, theirs in _FILES:
        if tools.get(ours) and not exists(theirs):
            variables.setdefault(variable, f"{PREFIX}/{ours}")
    return variables


def tool_environment(session: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a session without what has an interpreter load the container's code.

    For programs of the toolbox that a builtin runs, which answer for the container and don't run as a part of it.
    """
    return {
        key: value
        for key, value in session.items()
        if key != _LIBRARY_PATH and (key in _NOWHERE or not key.startswith(_RUNTIME_PREFIXES))
    }


def _is_unsafe(name: str) -> bool:
    if name.startswith(_LOADER):
        return name != _LIBRARY_PATH
    return name in _UNSAFE or name.startswith(_UNSAFE_PREFIXES)


def searched_paths() -> list[str]:
    """Return the paths of the container that `exists` is asked for."""
    return [*_BUNDLES, *(theirs for _, _, theirs in _FILES)]


def file_names() -> list[str]:
    """Return the toolbox's files that `tools` may name."""
    return [ours for _, ours, _ in _FILES]


def _prompt_text(name: str) -> str:
    # Backslash, dollar and backquote mean something in PS1.
    return "".join(letter if letter.isalnum() or letter in "-_." else "?" for letter in name)
