"""The readers. Each returns a `Reading`, or None where it refuses the archive."""

from __future__ import annotations

import ast
import base64
import ctypes
import ctypes.util
import io
import json
import locale
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from pyd_core.errors import InvalidInput
from pyd_core.tar.reader import TarReader
from support.tar_readers.reading import Item, Reading, item

MAX_DATA_BYTES = 1 << 22
_LINE = re.compile(
    rb"(.)([rwxsStT-]{9}) +(-?\d+)/(-?\d+) +(\d+(?:,\d+)?) +\S+ +\S+ "
    rb'("(?:[^"\\]|\\.)*")(?: (?:->|link to) ("(?:[^"\\]|\\.)*"))?'
)
_GNU_KINDS = {"-": "0", "d": "5", "l": "2", "h": "1", "c": "3", "b": "4", "p": "6", "C": "0"}


def ours(archive: bytes) -> Reading | None:
    """Read with pyd's own reader."""
    items: list[Item] = []
    directories: set[int] = set()
    data = b""
    reader = TarReader(io.BytesIO(archive))
    try:
        for entry in reader:
            kind = entry.kind.decode("latin-1")
            if kind not in "0123456":
                return None  # the unpacker refuses it
            items.append(
                item(entry.name, kind, entry.link, size=entry.size, mode=entry.mode, uid=entry.uid, gid=entry.gid)
            )
            if entry.is_file:
                data += _bounded(reader)
                if not entry.size and entry.name.endswith(b"/"):
                    directories.add(len(items) - 1)
    except InvalidInput:
        return None
    return Reading(tuple(items), data, frozenset(directories))


def _bounded(reader: TarReader) -> bytes:
    data = b""
    for part in reader.data():
        data += part
        if len(data) > MAX_DATA_BYTES:
            return data[:MAX_DATA_BYTES]
    return data


class Go:
    """Go's archive/tar, in a process that reads one archive after the other."""

    def __init__(self, directory: Path) -> None:
        program = directory / "gotar"
        source = Path(__file__).with_name("main.go")
        environment = {
            "PATH": "/usr/bin:/bin:/usr/local/go/bin",
            "HOME": os.environ.get("HOME", str(directory)),
            "GO111MODULE": "off",
            "GOFLAGS": "",
            "GOPROXY": "off",
        }
        subprocess.run(["go", "build", "-o", str(program), str(source)], check=True, env=environment)
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("go") is not None

    def __call__(self, archive: bytes) -> Reading | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(len(archive).to_bytes(4, "big") + archive)
        self._process.stdin.flush()
        members = json.loads(self._process.stdout.readline())
        if members is None:
            return None
        items = []
        data = b""
        for member in members:
            name, link = (base64.b64decode(member[key] or "") for key in ("Name", "Link"))
            items.append(
                item(
                    name,
                    chr(member["Kind"]),
                    link,
                    size=member["Size"],
                    mode=member["Mode"],
                    uid=member["Uid"],
                    gid=member["Gid"],
                )
            )
            data += base64.b64decode(member["Data"] or "")
        return Reading(tuple(items), data)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def gnu(archive: bytes) -> Reading | None:
    """Read with GNU tar."""
    common = ["--quoting-style=c", "--numeric-owner", "--full-time", "-f", "-"]
    environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"}
    listed = subprocess.run(["tar", "-tvv", *common], input=archive, capture_output=True, check=False, env=environment)
    if listed.returncode:
        return None
    items = []
    for line in listed.stdout.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            if line[:1] in b"VM":
                continue  # the label of a volume
            return None
        kind = _GNU_KINDS.get(match[1].decode())
        if kind is None:
            return None
        name, link = (ast.literal_eval("b" + (match[index] or b'""').decode("latin-1")) for index in (6, 7))
        size = int(match[5]) if b"," not in match[5] else 0
        items.append(
            item(name, kind, link, size=size, mode=_mode(match[2].decode()), uid=int(match[3]), gid=int(match[4]))
        )
    data = subprocess.run(["tar", "-xO", "-f", "-"], input=archive, capture_output=True, check=False, env=environment)
    return Reading(tuple(items), data.stdout)


def _mode(text: str) -> int:
    bits = 0
    for index, letter in enumerate(text):
        if letter in "rwxst":
            bits |= 1 << (8 - index)
        if letter in "sStT":
            bits |= 1 << (11 - index // 3)
    return bits


def python(archive: bytes) -> Reading | None:
    """Read with Python's tarfile; a damaged header is a refusal, where `tarfile` itself would end quietly."""
    items: list[Item] = []
    data = b""
    try:
        tar = tarfile.TarFile(fileobj=io.BytesIO(archive), encoding="utf-8", errors="surrogateescape")
        tar.offset, tar.pax_headers = 0, {}  # once more from the beginning
        while True:
            if tar.offset:
                tar.fileobj.seek(tar.offset - 1)
                if not tar.fileobj.read(1):
                    return None
            tar.fileobj.seek(tar.offset)
            try:
                entry = tarfile.TarInfo.fromtarfile(tar)
            except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
                return Reading(tuple(items), data)
            kind = "0" if entry.isreg() or entry.type not in tarfile.SUPPORTED_TYPES else entry.type.decode()
            name, link = os.fsencode(entry.name), os.fsencode(entry.linkname)
            items.append(item(name, kind, link, size=entry.size, mode=entry.mode, uid=entry.uid, gid=entry.gid))
            if kind == "0":
                content = tar.extractfile(entry)
                assert content is not None
                part = content.read(MAX_DATA_BYTES)
                if len(part) < min(entry.size, MAX_DATA_BYTES):
                    return None
                data += part
    except Exception:  # noqa: BLE001 - damaged input makes tarfile raise all kinds
        return None


class Libarchive:
    """libarchive, which bsdtar is made of."""

    def __init__(self) -> None:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
        name = ctypes.util.find_library("archive")
        assert name is not None
        self._lib = ctypes.CDLL(name)
        for function, result in (
            ("archive_read_new", ctypes.c_void_p),
            ("archive_entry_pathname", ctypes.c_char_p),
            ("archive_entry_symlink", ctypes.c_char_p),
            ("archive_entry_hardlink", ctypes.c_char_p),
            ("archive_entry_size", ctypes.c_int64),
            ("archive_entry_uid", ctypes.c_int64),
            ("archive_entry_gid", ctypes.c_int64),
            ("archive_entry_filetype", ctypes.c_uint),
            ("archive_entry_perm", ctypes.c_uint),
            ("archive_read_data", ctypes.c_ssize_t),
        ):
            getattr(self._lib, function).restype = result

    @staticmethod
    def is_installed() -> bool:
        return ctypes.util.find_library("archive") is not None

    def __call__(self, archive: bytes) -> Reading | None:
        lib = self._lib
        handle = ctypes.c_void_p(lib.archive_read_new())
        try:
            lib.archive_read_support_format_tar(handle)
            lib.archive_read_set_options(handle, b"hdrcharset=BINARY")
            if lib.archive_read_open_memory(handle, archive, ctypes.c_size_t(len(archive))):
                return None
            return self._entries(handle)
        finally:
            lib.archive_read_free(handle)

    def _entries(self, handle: ctypes.c_void_p) -> Reading | None:
        lib = self._lib
        items = []
        data = b""
        buffer = ctypes.create_string_buffer(MAX_DATA_BYTES)
        entry = ctypes.c_void_p()
        while (code := lib.archive_read_next_header(handle, ctypes.byref(entry))) != 1:
            if code < -20:  # worse than a warning
                return None
            file_type = lib.archive_entry_filetype(entry) & 0o170000
            hard = lib.archive_entry_hardlink(entry)
            kinds = {0o040000: "5", 0o120000: "2", 0o020000: "3", 0o060000: "4", 0o010000: "6"}
            kind = "1" if hard is not None else kinds.get(file_type, "0")
            link = hard if hard is not None else lib.archive_entry_symlink(entry) or b""
            size = lib.archive_entry_size(entry)
            items.append(
                item(
                    lib.archive_entry_pathname(entry) or b"",
                    kind,
                    link,
                    size=size,
                    mode=lib.archive_entry_perm(entry),
                    uid=lib.archive_entry_uid(entry),
                    gid=lib.archive_entry_gid(entry),
                )
            )
            if kind == "0":
                part = b""
                while len(part) < min(size, MAX_DATA_BYTES):
                    count = lib.archive_read_data(handle, buffer, ctypes.c_size_t(MAX_DATA_BYTES - len(part)))
                    if count < 0:
                        return None
                    if count == 0:
                        break
                    part += buffer.raw[:count]
                if len(part) < min(size, MAX_DATA_BYTES):
                    return None
                data += part
        return Reading(tuple(items), data)
