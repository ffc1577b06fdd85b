"""A self-signed certificate of localhost and 127.0.0.1 (2020 to 2120) for servers of tests; it protects nothing."""

from __future__ import annotations

import ssl
from pathlib import Path

KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLsdM2F7ti1w503n/
JLGtRX4oM8b8QetF1Ee5keDdF+6hRANCAASbCMcsG40bzTgFE2nj1oBkmaxm1CBX
tuu1FoPy+e2cLJeu+9Bf2Kkqkh/7oENGisseSf53TdYMTv+2Yzh6W8f8
-----END PRIVATE KEY-----
"""

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBpjCCAUygAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBByaW5nY29s
bGVjdCB0ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBByaW5nY29sbGVjdCB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEmwjHLBuNG804BRNp49aAZJmsZtQgV7brtRaD8vntnCyXrvvQX9ipKpIf+6BD
RorLHkn+d03WDE7/tmM4elvH/KN/MH0wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/
AAABMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFLTuFXuy2Y5ROTHRjP/pmu4G
lBGEMB8GA1UdIwQYMBaAFLTuFXuy2Y5ROTHRjP/pmu4GlBGEMA4GA1UdDwEB/wQE
AwIBhjAKBggqhkjOPQQDAgNIADBFAiBuPY2aEQJ8QjJU59EDx/oie0ZZp9rznlfV
I3m6rQBVfwIhAPj3lI55w3UdavZcSXYye6Vd0jliadQe96WYd6yprptA
-----END CERTIFICATE-----
"""


def server_tls(folder: Path) -> ssl.SSLContext:
    """The server's side; ``folder`` takes the two files the ssl module insists on."""
    pem = folder / "server.pem"
    pem.write_text(KEY + CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def trusting() -> ssl.SSLContext:
    """A client that knows this one authority."""
    return ssl.create_default_context(cadata=CERTIFICATE)
