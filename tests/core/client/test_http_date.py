"""Dates of HTTP headers, compared with the standard library's reading of them."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from pyd_core.client.http_date import MONTHS, parse_http_date


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("rest", ["1970 00:00:00", "2024 23:59:59", "9999 12:30:01"])
def test_a_date_is_read_as_the_standard_library_reads_it(month: str, rest: str):
    text = f"Tue, 28 {month} {rest} GMT"
    assert parse_http_date(text) == parsedate_to_datetime(text).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "Tue, 15 Nov 1994 08:12:31", "Tue, 15 Nov 1994 08:12:31 +0000", "Tue, 15 Nov 94 08:12:31 GMT"),
        *("Tue, 31 Feb 2024 08:12:31 GMT", "Tue, 15 Foo 2024 08:12:31 GMT", "Tue, 15 Nov 2024 24:12:31 GMT"),
        *("Tue, 15 Nov 0000 08:12:31 GMT", "Tue, \u0661\u0665 Nov 2024 08:12:31 GMT", "Tue, 15 Nov 2024 08:12:60 GMT"),
    ],
)
def test_other_texts_are_no_date(text: str):
    assert parse_http_date(text) is None
