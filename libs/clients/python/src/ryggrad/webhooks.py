"""Verifies deliveries that are signed as Standard Webhooks has it.

    from ryggrad.webhooks import Verifier

    verifier = Verifier("whsec_…")
    event = verifier.verify(request.headers, request.body)   # raises InvalidSignature

A delivery comes at least once: remember `webhook-id`, which is the id of the event at every attempt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import TYPE_CHECKING

from ryggrad._errors import RyggradError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECRET = "whsec_"  # noqa: S105 - a prefix
_PUBLIC_KEY = "whpk_"


class InvalidSignature(RyggradError):
    """The request is not what the server sent, or is too old. Answer 401 and do nothing."""


class Verifier:
    """Knows the keys of an endpoint: secrets (whsec_…, for v1), public keys (whpk_…, for v1a); several, as they change.

    `tolerance` is how many seconds the time of the request may be off. Public keys need the extra `ryggrad[ed25519]`.
    """

    def __init__(self, *keys: str, tolerance: float = 300.0, now: Callable[[], float] = time.time) -> None:
        if not keys:
            raise ValueError("there is no key to verify with")
        self._secrets = [_decoded(key, _SECRET) for key in keys if not key.startswith(_PUBLIC_KEY)]
        self._public_keys = [_public_key(key) for key in keys if key.startswith(_PUBLIC_KEY)]
        self._tolerance = tolerance
        self._now = now

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of the delivery, when one of the signatures is right.

        `body` is the body as it came, before anything has parsed it. Raises InvalidSignature.
        """
        own = {name.lower(): value for name, value in headers.items()}
        try:
            identity, stamp, signatures = (own[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        except KeyError as error:
            raise InvalidSignature(f"the header {error.args[0]} is missing") from None
        if not stamp.isascii() or not stamp.isdigit() or abs(self._now() - int(stamp)) > self._tolerance:
            raise InvalidSignature("the time of the request is too far off")
        signed = b".".join([identity.encode(), stamp.encode(), body])
        for signature in signatures.split():
            version, _, value = signature.partition(",")
            if self._fits(version, value, signed):
                return identity
        raise InvalidSignature("no signature fits")

    def _fits(self, version: str, value: str, signed: bytes) -> bool:
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error:
            return False
        if version == "v1":
            digests = [hmac.digest(secret, signed, hashlib.sha256) for secret in self._secrets]
            return any(hmac.compare_digest(given, digest) for digest in digests)
        if version == "v1a":
            return any(fits(given, signed) for fits in self._public_keys)
        return False


def _decoded(key: str, prefix: str) -> bytes:
    try:
        return base64.b64decode(key.removeprefix(prefix), validate=True)
    except binascii.Error:
        raise ValueError(f"a key is {prefix} and base64") from None


def _public_key(key: str) -> Callable[[bytes, bytes], bool]:
    from cryptography.exceptions import InvalidSignature as Wrong
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = Ed25519PublicKey.from_public_bytes(_decoded(key, _PUBLIC_KEY))

    def fits(signature: bytes, signed: bytes) -> bool:
        try:
            public.verify(signature, signed)
        except Wrong:
            return False
        return True

    return fits
