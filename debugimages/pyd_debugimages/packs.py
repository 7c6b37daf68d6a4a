"""The packs of tools a debug shell brings along, as Debian packages.

A pack names the programs its user runs; their dependencies are added. To add a pack, write a `Pack` and list it in
`PACKS`. Raise its `revision` with each change of its declaration, so that toolboxes of older ones are refreshed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Tools that come together.

    Attributes:
        name: What users call it.
        revision: Counts changes of this declaration.
        summary: What it is for, one line.
        packages: Debian packages. Where releases or Ubuntu call one otherwise, `one|other`: the first there is.
        bare: More Debian packages, and how those of their paths begin that are wanted; nothing else of them comes
            along, nor what they depend on.
        links: Commands that a package's installation script would make, by name: the program in the same pack, or the
            pattern of a path.
        wheels: Python packages, as pip names them, for what Debian hasn't got.
        arguments: Extra arguments, by program, to run in a container other than its own; `{prefix}` is the toolbox's
            directory.
        whole: Whether packages come with all dependencies, `SPARED` too: untested packages may need them.
    """

    name: str
    revision: int
    summary: str
    packages: tuple[str, ...]
    bare: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    links: Mapping[str, str] = msgspec.field(default_factory=dict)
    wheels: tuple[str, ...] = ()
    arguments: Mapping[str, str] = msgspec.field(default_factory=dict)
    whole: bool = False

    def leaves_out(self, package: str) -> bool:
        """Return whether a package is omitted when it is only a dependency of others."""
        return package in NEVER or (package in SPARED and not self.whole)


BASE = Pack(
    name="base",
    revision=6,
    summary="what every shell has: bash, coreutils, editors, curl, strace, eu-stack, lsof, htop",
    packages=(
        *("bash", "dash", "coreutils", "findutils", "diffutils", "grep", "sed", "gawk", "debianutils", "hostname"),
        *("less", "file", "jq", "ripgrep", "tree", "vim", "nano"),
        *("tar", "gzip", "bzip2", "xz-utils", "zstd"),
        *("procps", "psmisc", "htop", "lsof", "strace", "util-linux", "libcap2-bin"),
        *("curl", "openssl", "ca-certificates", "iproute2", "iputils-ping", "netcat-openbsd", "tcpdump"),
        *("libc-bin", "ncurses-bin", "ncurses-base", "ncurses-term"),
        *("python3-minimal", "libpython3-stdlib"),  # runs what joins a container from a helper container
        *("libdw1t64|libdw1", "libstdc++6"),  # for eu-stack
    ),
    bare={"elfutils": ("bin/eu-stack",)},
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
    arguments={"tcpdump": "-Z root"},  # else it looks for a user of its own, whom no container has
)
"""What every shell has."""

NET = Pack(
    name="net",
    revision=1,
    summary="networks: dig, nmap, socat, mtr, iperf3, tshark, conntrack, nft, ethtool",
    packages=(
        *("iproute2", "bind9-dnsutils", "tcpdump", "nmap", "socat", "mtr-tiny", "iperf3", "tshark", "conntrack"),
        *("nftables", "ethtool"),
    ),
    arguments={"nmap": "--datadir {prefix}/share/nmap"},
)

TRACE = Pack(
    name="trace",
    revision=2,
    summary="programs from inside: gdb, perf, bpftrace, ltrace, bpftool",
    packages=("gdb", "linux-perf|linux-tools-generic", "bpftrace", "ltrace", "bpftool|linux-tools-common"),
    # Its own way into the target's files takes rights that a session hasn't got; they are at / anyway.
    arguments={"gdb": "--data-directory={prefix}/share/gdb -iex 'set sysroot /'"},
)

PYTHON = Pack(
    name="python",
    revision=1,
    summary="Python programs: py-spy, debugpy",
    packages=("python3-minimal", "libpython3-stdlib"),
    wheels=("py-spy", "debugpy"),
)

JVM = Pack(
    name="jvm",
    revision=1,
    summary="Java programs: jattach, which does the work of jcmd, jstack and jmap",
    packages=("jattach",),
)

NODE = Pack(name="node", revision=1, summary="Node.js: node with its inspector", packages=("nodejs",))

GO = Pack(name="go", revision=1, summary="Go programs: dlv", packages=("delve",))

DB = Pack(
    name="db",
    revision=1,
    summary="databases: psql, mariadb, redis-cli, sqlite3",
    packages=(
        "postgresql-client-17|postgresql-client-16|postgresql-client-15",
        *("mariadb-client-core", "redis-tools", "sqlite3", "libsqlite3-0"),
    ),
    links={name: f"lib/postgresql/*/bin/{name}" for name in ("psql", "pg_dump", "pg_isready")} | {"mysql": "mariadb"},
)

PACKS: Mapping[str, Pack] = {pack.name: pack for pack in (BASE, NET, TRACE, PYTHON, JVM, NODE, GO, DB)}


def combine(packs: Sequence[str], packages: Sequence[str]) -> Pack:
    """Return the pack of a toolbox that holds the base, other packs by name, and more Debian packages."""
    chosen = [BASE, *(PACKS[name] for name in sorted({*packs} - {BASE.name}))]
    extra = tuple(sorted({*packages}))
    return Pack(
        name=",".join([*(pack.name for pack in chosen), *(f"={package}" for package in extra)]),
        revision=sum(pack.revision for pack in chosen),
        summary="",
        packages=tuple(dict.fromkeys([*(package for pack in chosen for package in pack.packages), *extra])),
        bare={name: paths for pack in chosen for name, paths in pack.bare.items() if name not in extra},
        links={name: program for pack in chosen for name, program in pack.links.items()},
        arguments={name: text for pack in chosen for name, text in pack.arguments.items()},
        wheels=tuple(dict.fromkeys(wheel for pack in chosen for wheel in pack.wheels)),
        whole=bool(extra),
    )


NEVER = frozenset(
    {
        *("base-files", "base-passwd", "debconf", "dpkg", "init-system-helpers", "install-info", "readline-common"),
        *("libpam-modules", "libpam-modules-bin", "libpam-runtime", "libaudit-common", "libtirpc-common"),
        *("gcc-14-base", "gcc-12-base", "sensible-utils", "ucf"),
    }
)
"""Packages that set a machine up; a toolbox has no machine, so they are left out where others depend on them
and no pack names them."""

SPARED = frozenset({"libsqlite3-0", "media-types", "netbase", "openssl-provider-legacy", "perl-base", "tzdata"})
"""Packages that the packs' tools do without, though they depend on them."""

_PYTHON = (
    *("test/", "pydoc_data/", "unittest/", "turtle.py", "idlelib/", "ensurepip/", "lib2to3/"),
    *("lib-dynload/_test", "lib-dynload/_codecs_", "lib-dynload/_sqlite3", "lib-dynload/xx", "sqlite3/", "dbm/"),
)
"""Below its folder in `lib`; what of Python a shell's user is least likely to miss."""

LEFT_OUT = (
    *(f"lib/python3.{minor}/{name}" for minor in range(11, 16) for name in _PYTHON),
    *(
        f"lib/{machine}-linux-gnu/gconv/{name}"
        for machine in ("x86_64", "aarch64")
        for name in ("IBM", "EBCDIC", "CP1")
    ),
    *("include/", "share/vim/vim91/keymap/", "share/vim/vim91/print/", "share/vim/vim91/tools/"),
    *("share/doc/", "share/man/", "share/info/", "share/locale/", "share/lintian/", "share/bug/", "share/doc-base/"),
    *("share/applications/", "share/icons/", "share/pixmaps/", "share/menu/", "share/bash-completion/", "share/zsh/"),
    *(
        "share/gcc/",
        "share/gdb/auto-load/",
        "share/initramfs-tools/",
        "share/fish/",
        "share/metainfo/",
        "share/polkit-1/",
    ),
    *("share/vim/vim91/doc/", "share/vim/vim91/tutor/", "share/vim/vim91/lang/", "share/vim/vim91/spell/"),
    *("share/vim/vim90/doc/", "share/vim/vim90/tutor/", "share/vim/vim90/lang/", "share/vim/vim90/spell/"),
    *("lib/systemd/", "lib/udev/", "lib/tmpfiles.d/", "lib/sysctl.d/", "lib/modules-load.d/", "lib/locale/"),
    *("etc/", "var/", "boot/", "run/", "home/", "root/", "srv/", "mnt/", "opt/", "dev/", "proc/", "sys/", "tmp/"),
)
"""How paths of packages begin that no tool needs while it runs."""
