"""Attestations of images in an index."""

from __future__ import annotations

import json

from pyd_core.daemon.images.attestations import PROVENANCE_TYPE, attest, package_url
from pyd_core.daemon.images.manifests import OCI_MANIFEST, Document
from pyd_core.model.reference import parse

IMAGE = Document(OCI_MANIFEST, b"{}")


def test_an_attestation_is_a_manifest_that_names_its_image() -> None:
    attestation = attest(IMAGE, b'{"builder": {}}', PROVENANCE_TYPE, ["pkg:docker/a@1"])
    config, layer = attestation.blobs
    manifest = json.loads(attestation.manifest.body)
    assert manifest["config"]["digest"] == config.digest
    assert manifest["layers"][0]["digest"] == layer.digest
    assert manifest["layers"][0]["annotations"] == {"in-toto.io/predicate-type": PROVENANCE_TYPE}
    assert json.loads(config.body)["rootfs"]["diff_ids"] == [layer.digest]
    assert attestation.descriptor["annotations"]["vnd.docker.reference.digest"] == IMAGE.digest
    assert attestation.descriptor["platform"] == {"architecture": "unknown", "os": "unknown"}
    statement = json.loads(layer.body)
    assert statement["subject"] == [
        {"name": "pkg:docker/a@1", "digest": {"sha256": IMAGE.digest.removeprefix("sha256:")}}
    ]
    assert statement["predicate"] == {"builder": {}}


def test_an_image_without_a_name_is_a_subject_too() -> None:
    attestation = attest(IMAGE, b"{}", PROVENANCE_TYPE, [])
    assert json.loads(attestation.blobs[1].body)["subject"][0]["name"] == "_"


def test_package_urls_escape_what_a_url_could_be_made_of() -> None:
    assert package_url("docker", parse("debian:13"), "linux/arm/v7") == "pkg:docker/debian@13?platform=linux%2Farm%2Fv7"
    digest = "sha256:" + "a" * 64
    assert (
        package_url("docker", parse(f"host:5000/a/b@{digest}"), "") == f"pkg:docker/host%3A5000/a/b@sha256%3A{'a' * 64}"
    )
