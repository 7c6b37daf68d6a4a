"""`docs/reference/api-coverage.md` says what the engine serves, made from the table of routes and the contract."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from pyd_core.daemon.api import load_handlers
from pyd_core.daemon.api.routes import REFUSED, ROUTES

HERE = Path(__file__).parents[3]
PAGE = HERE / "docs" / "reference" / "api-coverage.md"
CONTRACT = HERE / "tests/core/model/spec/docker-engine-api-v1.45.yaml"
METHODS = {"get", "post", "put", "delete", "head"}


def contract() -> list[tuple[str, str, str]]:
    """Method, path and summary of everything in the contract."""
    paths = yaml.safe_load(CONTRACT.read_text())["paths"]
    return [
        (method.upper(), path, str(what.get("summary", "")).rstrip("."))
        for path, methods in paths.items()
        for method, what in methods.items()
        if method in METHODS
    ]


def page() -> str:
    """The page as it should be."""
    load_handlers()
    served = {(route.method, route.pattern) for route in ROUTES.table} - REFUSED
    rows = contract()
    lines = [
        "# What of the Docker Engine API the embedded engine serves",
        "",
        "Made by `tests/core/daemon/test_coverage.py` from the table of routes and the contract, API version 1.45.",
        "What isn't served answers 501 with its name.",
        "",
        "| request | what | |",
        "|---|---|---|",
    ]
    for method, path, summary in rows:
        known = (method, path) in served or (method == "HEAD" and ("GET", path) in served)
        lines.append(f"| `{method} {path}` | {summary} | {'served' if known else '501'} |")
    count = sum(line.endswith("| served |") for line in lines)
    lines += ["", f"{count} of {len(rows)} are served.", ""]
    return "\n".join(lines)


def test_every_request_of_the_contract_is_served_or_refused_by_name():
    load_handlers()
    known = {(route.method, route.pattern) for route in ROUTES.table}
    missing = [
        (method, path)
        for method, path, _ in contract()
        if (method, path) not in known and not (method == "HEAD" and ("GET", path) in known)
    ]
    assert missing == []


def test_the_page_on_coverage_is_up_to_date():
    if os.environ.get("PYD_WRITE_DOCS"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "run this test with PYD_WRITE_DOCS=1 to rewrite the page"
