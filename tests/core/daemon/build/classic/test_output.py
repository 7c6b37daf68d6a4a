"""The spooled output of a step."""

from __future__ import annotations

from pathlib import Path

from pyd_core.daemon.build.classic.output import StepOutput


async def test_output_is_read_as_it_comes_and_to_its_end(tmp_path: Path):
    output = StepOutput(tmp_path / "spool")
    output.log("", 1, b"first")
    texts = output.texts()
    assert await anext(texts) == "first"
    output.log("", 2, b" second \xc3")
    assert await anext(texts) == " second "
    output.log("", 1, b"\xa9\xff")
    output.end()
    assert [text async for text in texts] == ["\xe9\ufffd"]
    output.close()
    output.log("", 1, b"late")  # a process that is being killed may still write
    assert list((tmp_path / "spool").iterdir()) == []
