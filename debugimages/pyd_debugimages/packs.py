"""The packs of tools a debug shell brings along, as Debian packages.

A pack names what its user wants to run; what those need comes by itself. To add one, write a `Pack` and list it in
`PACKS`; raise its `revision` whenever its declaration changes, so that toolboxes built from the old one are renewed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Tools that come together.

    Attributes:
        name: What users call it.
        revision: Counts changes of this declaration.
        packages: Debian packages; Ubuntu has all of them under the same names.
        links: Commands that a package's installation script would make, by name: the program in the same pack.
    """

    name: str
    revision: int
    packages: tuple[str, ...]
    links: Mapping[str, str] = field(default_factory=dict)


BASE = Pack(
    name="base",
    revision=4,
    packages=(
        *("bash", "dash", "coreutils", "findutils", "diffutils", "grep", "sed", "gawk", "debianutils", "hostname"),
        *("less", "file", "jq", "ripgrep", "tree", "vim", "nano"),
        *("tar", "gzip", "bzip2", "xz-utils", "zstd"),
        *("procps", "psmisc", "htop", "lsof", "strace", "util-linux", "libcap2-bin"),
        *("curl", "openssl", "ca-certificates", "iproute2", "iputils-ping", "netcat-openbsd", "tcpdump"),
        *("libc-bin", "ncurses-bin", "ncurses-base", "ncurses-term"),
        *("python3-minimal", "libpython3-stdlib"),  # runs what joins a container from a helper container
    ),
    links={
        "awk": "gawk",
        "editor": "vim.basic",
        "nc": "nc.openbsd",
        "pager": "less",
        "sh": "dash",
        "vi": "vim.basic",
        "vim": "vim.basic",
        "which": "which.debianutils",
    },
)
"""What every shell has."""

PACKS: Mapping[str, Pack] = {pack.name: pack for pack in (BASE,)}

NEVER = frozenset(
    {
        *("base-files", "base-passwd", "debconf", "dpkg", "init-system-helpers", "install-info", "perl-base"),
        *("libpam-modules", "libpam-modules-bin", "libpam-runtime", "openssl-provider-legacy", "readline-common"),
        *("gcc-14-base", "gcc-12-base", "libaudit-common", "libtirpc-common", "sensible-utils", "ucf", "media-types"),
        *("tzdata", "netbase", "libsqlite3-0"),
    }
)
"""Packages that set a machine up; a toolbox has no machine, so they are left out where others depend on them."""

_PYTHON = (
    *("test/", "pydoc_data/", "unittest/", "_pyrepl/", "xmlrpc/", "turtle.py", "idlelib/", "ensurepip/", "lib2to3/"),
    *("lib-dynload/_test", "lib-dynload/_codecs_", "lib-dynload/_sqlite3", "lib-dynload/xx", "sqlite3/", "dbm/"),
)
"""Below its folder in `lib`; what of Python a shell's user is least likely to miss."""

LEFT_OUT = (
    *(f"lib/python3.{minor}/{name}" for minor in range(11, 16) for name in _PYTHON),
    *("include/", "share/vim/vim91/keymap/", "share/vim/vim91/print/", "share/vim/vim91/tools/"),
    *("share/doc/", "share/man/", "share/info/", "share/locale/", "share/lintian/", "share/bug/", "share/doc-base/"),
    *("share/applications/", "share/icons/", "share/pixmaps/", "share/menu/", "share/bash-completion/", "share/zsh/"),
    *("share/gcc/", "share/gdb/", "share/initramfs-tools/", "share/fish/", "share/metainfo/", "share/polkit-1/"),
    *("share/vim/vim91/doc/", "share/vim/vim91/tutor/", "share/vim/vim91/lang/", "share/vim/vim91/spell/"),
    *("share/vim/vim90/doc/", "share/vim/vim90/tutor/", "share/vim/vim90/lang/", "share/vim/vim90/spell/"),
    *("lib/systemd/", "lib/udev/", "lib/tmpfiles.d/", "lib/sysctl.d/", "lib/modules-load.d/", "lib/locale/"),
    *("etc/", "var/", "boot/", "run/", "home/", "root/", "srv/", "mnt/", "opt/", "dev/", "proc/", "sys/", "tmp/"),
)
"""Folders of packages that no tool needs while it runs."""
