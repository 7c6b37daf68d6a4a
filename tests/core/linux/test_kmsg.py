from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.errors import KernelError
from pyd_core.linux.kmsg import KernelMessage, parse_record, read_kernel_log


def test_reads_priority_sequence_time_and_text() -> None:
    record = parse_record(b"6,339,5140900,-,caller=T1;NET: Registered PF_INET\n SUBSYSTEM=net\n", 10**18)
    assert record == KernelMessage(
        priority=6, sequence=339, time_ns=10**18 + 5140900000, text="NET: Registered PF_INET"
    )
    assert record.from_kernel


def test_knows_what_a_program_wrote() -> None:
    record = parse_record(b"12,5,100,-;oom-kill:constraint=CONSTRAINT_MEMCG")
    assert record is not None
    assert not record.from_kernel


@pytest.mark.parametrize("line", [b"", b";", b"6,339;text", b"a,b,c,-;text", b"no record at all"])
def test_leaves_out_what_is_no_record(line: bytes) -> None:
    assert parse_record(line) is None


def test_text_that_is_not_utf_8_is_kept_readable() -> None:
    record = parse_record(b"6,1,1,-;comm \xff\xfe died")
    assert record is not None
    assert record.text == "comm \ufffd\ufffd died"


def test_a_ring_that_lost_its_beginning_says_how_far_it_reaches(tmp_path: Path) -> None:
    path = tmp_path / "kmsg"
    path.write_bytes(b"6,100,5000000,-;first\n6,101,6000000,-;second\n")
    log = read_kernel_log(path)
    assert [record.text for record in log.records] == ["first", "second"]
    assert not log.whole
    assert log.oldest_ns is not None
    assert log.covers(log.oldest_ns)
    assert not log.covers(log.oldest_ns - 1)


def test_a_ring_since_boot_covers_everything(tmp_path: Path) -> None:
    path = tmp_path / "kmsg"
    path.write_bytes(b"6,0,0,-;Linux version 6\n6,1,1,-;Command line\n")
    assert read_kernel_log(path).covers(0)


def test_no_kernel_log_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(KernelError) as caught:
        read_kernel_log(tmp_path / "none")
    assert caught.value.call == "open"
