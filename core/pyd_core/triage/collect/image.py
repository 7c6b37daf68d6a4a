"""Facts about the program a container runs, read from its layers without starting anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from pyd_core.client.provider import Provider
from pyd_core.errors import InvalidInput, PydError
from pyd_core.files.choice import locate_layers, merged_tree
from pyd_core.linux.elf import MAGIC, Elf, parse_elf, runs_on
from pyd_core.linux.layered_fs import FileNode
from pyd_core.model.container import Container
from pyd_core.passwd import split_rows
from pyd_core.triage.collect.tree import MAX_FILE_BYTES, ArchiveTree, LayerTree, Tree
from pyd_core.triage.evidence import Case, Program, UnavailableSource

TELLS = "whether the program, its interpreter, loader and libraries are there and fit this processor"

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HEAD = 4096
MAX_LIBRARIES = 200

_LIBRARY_DIRECTORIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
_EMULATORS = {"amd64": "x86_64", "arm64": "aarch64", "386": "i386"}


async def collect(case: Case, engine: Provider, *, local: bool) -> None:
    """Look at the program in the container's layers, or through the engine where they aren't on this disk."""
    layers = merged_tree(await locate_layers(engine, case.container)) if local else None
    tree: Tree = ArchiveTree(engine, case.container.id) if layers is None else LayerTree(layers)
    try:
        case.program = await examine(case.container, tree, case.architecture)
    except PermissionError:
        case.unread.append(UnavailableSource(source="image", reason="no right to read its layers", would_tell=TELLS))
    except PydError as error:
        case.unread.append(UnavailableSource(source="image", reason=error.message, would_tell=TELLS))


async def examine(container: Container, tree: Tree, host: str) -> Program:
    """Find out what the container would run.

    Args:
        container: Its configuration.
        tree: Its files.
        host: The architecture of the engine's machine, as images name it.

    Raises:
        PermissionError: The layers may not be read.
    """
    environment = {name: value for name, _, value in (entry.partition("=") for entry in container.config.env)}
    workdir = container.config.working_dir or "/"
    node = await find_program(tree, container.path, environment, workdir)
    base = Program(
        path=container.path,
        host_architecture=host,
        user_known=await _user_known(container.config.user, tree),
        workdir_found=_is_directory(await tree.lookup(workdir)),
    )
    return base if node is None else await _describe(base, node, tree, environment)


async def find_program(tree: Tree, path: str, environment: Mapping[str, str], workdir: str) -> FileNode | None:
    """Resolve a command as execvp would inside the container."""
    if "/" in path:
        return await tree.lookup(path if path.startswith("/") else f"{workdir}/{path}")
    for directory in environment.get("PATH", DEFAULT_PATH).split(":"):
        node = await tree.lookup(f"{directory or workdir}/{path}")
        if node is not None and node.kind == "file":
            return node
    return None


async def _describe(base: Program, node: FileNode, tree: Tree, environment: Mapping[str, str]) -> Program:
    program = replace(base, resolved=node.path, executable=bool(node.mode & 0o111))
    if node.kind != "file":
        return replace(program, kind="directory" if node.kind == "directory" else "plain", executable=False)
    head = await tree.read(node.path, HEAD)
    if head.startswith(b"#!"):
        first = head[2:].split(b"\n", 1)[0]
        interpreter = _interpreter(first)
        return replace(
            program,
            kind="script",
            interpreter=interpreter,
            crlf=first.endswith(b"\r"),
            interpreter_found=await _interpreter_found(first, tree, environment),
        )
    if not head.startswith(MAGIC):
        return replace(program, kind="plain")
    elf = await _read_program(tree, node.path)
    if elf is None:
        return replace(program, kind="plain")
    loader = not elf.interpreter or await tree.lookup(elf.interpreter) is not None
    return replace(
        program,
        kind="elf",
        architecture=elf.machine,
        emulated=not runs_on(elf.machine, base.host_architecture) and _emulated(elf.machine),
        interpreter=elf.interpreter,
        interpreter_found=loader,
        missing_libraries=await _missing(elf, node, tree, environment) if loader and elf.interpreter else (),
    )


def _interpreter(first: bytes) -> str:
    return first.strip().split(None, 1)[0].decode(errors="replace") if first.strip() else ""


async def _interpreter_found(first: bytes, tree: Tree, environment: Mapping[str, str]) -> bool:
    words = first.decode(errors="replace").strip().split()
    if not words or await tree.lookup(words[0]) is None:
        return False
    if words[0].endswith("/env"):
        programs = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        return not programs or await find_program(tree, programs[0], environment, "/") is not None
    return True


async def _missing(elf: Elf, node: FileNode, tree: Tree, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The libraries that the loader wouldn't find: RPATH, LD_LIBRARY_PATH, ld.so.conf and the usual directories."""
    if not tree.quick:
        return ()  # some hundred questions to a distant engine; the loader's own complaint has to do
    common = [
        *environment.get("LD_LIBRARY_PATH", "").split(":"),
        *await _configured(tree),
        *await _directories(tree),
    ]
    missing: list[str] = []
    seen: set[str] = set()
    queue: list[tuple[Elf, str]] = [(elf, node.path.rpartition("/")[0])]
    while queue and len(seen) < MAX_LIBRARIES:
        current, origin = queue.pop()
        own = [part.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for part in current.search]
        for name in current.needed:
            if name in seen:
                continue
            seen.add(name)
            paths = [name] if "/" in name else [f"{where}/{name}" for where in (*own, *common) if where]
            file = await _first_file(tree, paths)
            if file is None:
                missing.append(name)
                continue
            library = await _read_program(tree, file.path)
            if library is not None:
                queue.append((library, file.path.rpartition("/")[0]))
    return tuple(missing)


async def _first_file(tree: Tree, paths: list[str]) -> FileNode | None:
    for path in paths:
        node = await tree.lookup(path)
        if node is not None and node.kind == "file":
            return node
    return None


async def _read_program(tree: Tree, path: str) -> Elf | None:
    data = await tree.read(path, MAX_FILE_BYTES)
    try:
        return parse_elf(lambda offset, length: data[offset : offset + length])
    except InvalidInput:
        return None


async def _configured(tree: Tree) -> list[str]:
    lines = (await tree.read("/etc/ld.so.conf", 65536)).decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("/")]


async def _directories(tree: Tree) -> list[str]:
    """Return the default library directories that exist in the image."""
    triplets = [f"{machine}-linux-gnu" for machine in ("x86_64", "aarch64", "i386")]
    extra = [f"{base}/{triplet}" for base in ("/lib", "/usr/lib", "/usr/local/lib") for triplet in triplets]
    return [path for path in (*_LIBRARY_DIRECTORIES, *extra) if _is_directory(await tree.lookup(path))]


def _emulated(architecture: str) -> bool:
    name = _EMULATORS.get(architecture, architecture)
    return Path(f"/proc/sys/fs/binfmt_misc/qemu-{name}").exists()


async def _user_known(user: str, tree: Tree) -> bool | None:
    name = user.partition(":")[0]
    if not name or name.isdigit():
        return None
    passwd = (await tree.read("/etc/passwd", 2**20)).decode(errors="replace")
    return any(row[0] == name for row in split_rows(passwd, 1))


def _is_directory(node: FileNode | None) -> bool:
    return node is not None and node.kind == "directory"
