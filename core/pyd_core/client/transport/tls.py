"""TLS to an engine over TCP, with the certificates the docker CLI would use."""

from __future__ import annotations

import ssl

from pyd_core.client.endpoint import Endpoint, TlsFiles
from pyd_core.client.transport.failures import describe_endpoint
from pyd_core.errors import ConfigError, EngineUnavailable, PydError, Refused

CERTIFICATE_ALERTS = ("certificate", "unknown_ca", "handshake", "access_denied")
"""Alerts of a server that wants a client certificate, or another one (RFC 8446, section 6.2)."""


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """Return the TLS context of an endpoint; its own CA replaces those of the system.

    Raises:
        ConfigError: A certificate or key can't be used.
    """
    files = endpoint.tls or TlsFiles()
    try:
        context = ssl.create_default_context(cafile=files.ca)
        if not files.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if files.cert is not None:
            context.load_cert_chain(files.cert, files.key, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        paths = ", ".join(str(file) for file in (files.ca, files.cert, files.key) if file)
        raise ConfigError(
            f"can't use the certificates for {describe_endpoint(endpoint)}: {error}",
            hint=f"look at {paths}",
        ) from error
    return context


def tls_failure(error: ssl.SSLError, endpoint: Endpoint) -> PydError:
    """Return the error for a TLS failure; where no certificate is at fault, the text is OpenSSL's alert."""
    where = describe_endpoint(endpoint)
    reason = (error.reason or "").lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in {62, 64}:  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
            return Refused(
                f"the engine at {where} has a certificate for another name: {error.verify_message}",
                hint="use a name that its certificate has, or let one be made for this name",
                reference="tls-wrong-name",
            )
        ca = endpoint.tls.ca if endpoint.tls else None
        hint = f"{ca} is not its CA" if ca else "name its CA: ca.pem in the folder of DOCKER_CERT_PATH"
        return Refused(
            f"the engine at {where} has a certificate we can't trust: {error.verify_message}",
            hint=hint,
            reference="tls-unknown-ca",
        )
    if "wrong_version_number" in reason or "record_layer_failure" in reason or "http_request" in reason:
        return EngineUnavailable(
            f"what answers at {where} does not speak TLS",
            hint="check the port, or unset DOCKER_TLS_VERIFY and DOCKER_TLS if it is a plain one",
            reference="tls-mismatch",
        )
    if "alert" in reason and any(
        word in reason for word in ("certificate", "unknown_ca", "handshake", "access_denied")
    ):
        return Refused(
            f"the engine at {where} does not accept our client certificate: {reason.replace('_', ' ')}",
            hint="put cert.pem and key.pem, signed by its CA, in the folder of DOCKER_CERT_PATH",
            reference="tls-client-certificate",
        )
    return EngineUnavailable(
        f"TLS to {where} failed: {reason.replace('_', ' ') or error}", hint="check the address and the certificates"
    )
