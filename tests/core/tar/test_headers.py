"""Headers equal those of `tarfile`, whatever an entry has."""

from __future__ import annotations

import io
import tarfile

from hypothesis import example, given
from hypothesis import strategies as st

from pyd_core.tar.headers import PlainArchive, encode_header

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=120) | st.text(
    st.sampled_from("ab/."), min_size=90, max_size=110
)
NUMBERS = st.integers(-1, 8**12) | st.sampled_from([0, 8**7 - 1, 8**7, 8**11 - 1, 8**11])
TYPES = [
    tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE,
    tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
]  # fmt: skip


def entry(kind: bytes, names: tuple[str, str], numbers: list[int], mtime: float) -> tarfile.TarInfo:
    header_entry = tarfile.TarInfo(names[0])
    header_entry.type, header_entry.linkname, header_entry.mtime = kind, names[1], mtime
    header_entry.mode, header_entry.uid, header_entry.gid, header_entry.size = numbers
    return header_entry


@given(
    st.sampled_from(TYPES), st.tuples(NAMES, NAMES), st.lists(NUMBERS, min_size=4, max_size=4),
    NUMBERS | st.floats(0, 1e9),
    st.sampled_from([{}, {"SCHILY.xattr.security.capability": "value"}]),
)  # fmt: skip
@example(tarfile.DIRTYPE, ("a" * 99, ""), [0o755, 0, 0, 0], 0, {})
@example(tarfile.DIRTYPE, ("a" * 100, ""), [0o755, 0, 0, 0], 0, {})
@example(tarfile.REGTYPE, ("a" * 100, ""), [0o100644, 1000, 1000, 8**11 - 1], 1, {})
def test_a_header_is_that_of_tarfile(
    kind: bytes, names: tuple[str, str], numbers: list[int], mtime: float, pax: dict[str, str]
):
    header_entry = entry(kind, names, numbers, mtime)
    header_entry.pax_headers = pax
    assert encode_header(header_entry) == header_entry.tobuf(tarfile.PAX_FORMAT, tarfile.ENCODING, "surrogateescape")


def test_names_that_are_no_utf_8_have_the_header_of_tarfile():
    header_entry = entry(tarfile.REGTYPE, (b"\xff\xfe".decode(errors="surrogateescape"), ""), [0, 0, 0, 0], 0)
    assert encode_header(header_entry) == header_entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


@given(st.lists(st.binary(max_size=1500), max_size=12))
def test_an_archive_is_that_of_tarfile(bodies: list[bytes]):
    archives: list[bytes] = []
    for kind in (tarfile.TarFile, PlainArchive):
        out = io.BytesIO()
        with kind(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for number, body in enumerate(bodies):
                tar.addfile(entry(tarfile.REGTYPE, (f"{number}", ""), [0o644, 0, 0, len(body)], 7), io.BytesIO(body))
            tar.addfile(entry(tarfile.DIRTYPE, ("directory", ""), [0o755, 0, 0, 0], 7))
        archives.append(out.getvalue())
    assert archives[0] == archives[1]
