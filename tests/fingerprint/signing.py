"""Signs pictures with C2PA manifests, by certificates made for the test."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey
_CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
}


class Authority:
    """A root certificate and one signer that it certifies."""

    def __init__(self) -> None:
        self._root, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.anchors = _pem(_certificate("Root", self._root, self._root, root=True))
        self._signer = _pem(_certificate("Signer", self._key, self._root, root=False))

    def signed(self, data: bytes, fmt: str = "image/jpeg", parent: bytes | None = None) -> bytes:
        """The picture with a manifest that says it was made from nothing, or from ``parent``."""
        made = {"label": "c2pa.actions", "data": {"actions": [_CREATED]}}
        manifest: dict[str, Any] = {"title": "picture", "assertions": [made]}
        if parent is not None:
            manifest["assertions"] = []
        builder = c2pa.Builder(manifest)
        if parent is not None:
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            about = {"title": "parent", "relationship": "parentOf"}
            builder.add_ingredient(about, "image/jpeg", io.BytesIO(parent))
        chain = (self._signer + self.anchors).encode()
        key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))
        out = io.BytesIO()
        builder.sign(signer, fmt, io.BytesIO(data), out)
        return out.getvalue()


def _certificate(name: str, key: Key, issuer: Key, *, root: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("Root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        .add_extension(_usage(root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False
        )
    )
    if not root:
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        built = built.add_extension(purposes, critical=False)
    return built.sign(issuer, SHA256())


def _usage(root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=root,
        crl_sign=root,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.Name:
    attributes = [(NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Acme")]
    return x509.Name(
        [x509.NameAttribute(*pair) for pair in [*attributes, (NameOID.COMMON_NAME, name)]]
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
