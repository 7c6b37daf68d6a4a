"""Options of attestations."""

from __future__ import annotations

import pytest

from pyd_core.daemon.build.exporters.attestation_options import ProvenanceOptions, provenance_options
from pyd_core.errors import InvalidInput, Unsupported


def test_clients_ask_in_several_ways() -> None:
    assert provenance_options({"filename": "Dockerfile"}) is None
    assert provenance_options({"attest:provenance": ""}) == ProvenanceOptions()
    inline = provenance_options({"attest:provenance": "mode=min,inline-only=true"})
    assert inline == ProvenanceOptions(is_inline_only=True)
    explicit = provenance_options({"attest:provenance": "type=provenance,mode=max,builder-id=https://ci"})
    assert explicit == ProvenanceOptions(mode="max", builder_id="https://ci")
    assert provenance_options({"attest:provenance": "disabled=true"}) is None


def test_a_list_of_packages_is_refused_by_name_unless_it_is_only_a_default() -> None:
    with pytest.raises(Unsupported, match="SBOM scanner") as refused:
        provenance_options({"attest:sbom": "generator=scanner"})
    assert refused.value.reference == "no-sbom-scanner"
    assert provenance_options({"attest:sbom": "inline-only=true"}) is None
    with pytest.raises(Unsupported, match="'vsa'"):
        provenance_options({"attest:vsa": ""})


@pytest.mark.parametrize(
    "text",
    [
        *("mode=full", "mode=max,colour=red", "inline-only=perhaps", "filename=../x", "filename=a/b", '"mode=min'),
        *("version=v2", "version="),
    ],
)
def test_malformed_options_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        provenance_options({"attest:provenance": text})


def test_clients_choose_the_version_of_the_layout() -> None:
    assert provenance_options({"attest:provenance": "version=v0.2"}) == ProvenanceOptions()
    assert provenance_options({"attest:provenance": "mode=min,version=v1"}) == ProvenanceOptions(version="v1")
