"""What a subscription is made of: checkpoints, events, filters, signatures."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ryggrad import CheckpointError, Cursor, Event, FileCheckpoint, Filter, Start
from ryggrad.contracts.common.v1.common_pb2 import Envelope
from ryggrad.contracts.registration.v1.organisation_pb2 import OrganisationDeleted, OrganisationRegistered
from ryggrad.webhooks import InvalidSignature, Verifier

if TYPE_CHECKING:
    from pathlib import Path

DELETED = OrganisationDeleted(orgnr="310000019", slettedato="2026-03-02")


def event(kind: str = "no.ryggrad.registration.OrganisationDeleted.v1") -> Event:
    envelope = Envelope(position=7, type=kind, data=DELETED.SerializeToString())
    envelope.occurred_at.FromDatetime(datetime(2026, 3, 2, 12, tzinfo=UTC))
    return Event(envelope)


def test_a_file_gives_back_what_was_stored_last(tmp_path: Path) -> None:
    checkpoint = FileCheckpoint(tmp_path / "cursor.json")
    assert checkpoint.load() is None
    for position in (1, 2):
        checkpoint.store(Cursor(position, "e"))
    assert checkpoint.load() == Cursor(2, "e")
    assert os.listdir(tmp_path) == ["cursor.json"], "nothing is left beside it"


def test_a_file_that_is_no_cursor_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "cursor.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"cursor\.json"):
        FileCheckpoint(tmp_path / "cursor.json").load()
    with pytest.raises(CheckpointError, match="nowhere"):
        FileCheckpoint(tmp_path / "nowhere" / "cursor.json").store(Cursor(1, "e"))


def test_an_event_is_decoded_into_its_message_and_json() -> None:
    assert (event().context, event().name) == ("registration", "OrganisationDeleted")
    assert event().message() == DELETED
    assert event().decode(OrganisationDeleted) == DELETED
    assert event().decode(OrganisationRegistered) is None
    assert event().json() == {"orgnr": "310000019", "slettedato": "2026-03-02"}
    assert event().as_json()["payload"]["orgnr"] == "310000019"
    assert event().occurred_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_event_is_decoded_that_nobody_has_imported() -> None:
    held = Event(Envelope(type="no.ryggrad.registration.FoundingMeetingHeld.v1", data=b"\x12\x0a2026-03-02"))
    assert held.json() == {"date": "2026-03-02"}
    approved = Event(Envelope(type="no.ryggrad.ecosystem.SubscriptionApproved.v1"))
    assert approved.json() == {}


def test_an_event_of_a_later_version_keeps_its_bytes() -> None:
    later = event("no.ryggrad.registration.SomethingNew.v1")
    assert later.message() is None
    assert later.json() is None
    assert base64.b64decode(later.as_json()["data"]) == DELETED.SerializeToString()


def test_a_filter_and_a_start_say_what_the_contract_does() -> None:
    message = Filter(types=["OrganisationDeleted"], kommunenummer=["4203"], classes=["public"]).message()
    assert list(message.classes) == [1]
    assert Start.after(Cursor(4, "e")).request.epoch == "e"
    with pytest.raises(ValueError, match="time zone"):
        Start.at(datetime(2026, 3, 2))
    with pytest.raises(ValueError, match="SECRET"):
        Filter(classes=["secret"]).message()


# The example of the specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
BODY = b'{"test": 2432232314}'


def verifier(*keys: str) -> Verifier:
    return Verifier(*keys, now=lambda: 1614265330.0)


def test_the_example_of_the_specification_is_verified_also_while_secrets_change() -> None:
    other = "whsec_" + base64.b64encode(b"another").decode()
    assert verifier(other, SECRET).verify(HEADERS, BODY) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-signature", "v1,AAAA v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v1,not base64"),
        ("webhook-timestamp", "1614265331"),
        ("webhook-timestamp", "1614264000"),
        ("webhook-timestamp", "yesterday"),
        ("Webhook-Id", "msg_another"),
    ],
)
def test_whatever_was_changed_is_noticed(name: str, value: str) -> None:
    with pytest.raises(InvalidSignature):
        verifier(SECRET).verify(HEADERS | {name: value}, BODY)
    with pytest.raises(InvalidSignature):
        verifier(SECRET).verify({}, BODY)
    with pytest.raises(InvalidSignature):
        verifier(SECRET).verify(HEADERS, BODY + b" ")


def test_a_signature_of_a_key_pair_is_verified_with_its_public_half() -> None:
    pair = Ed25519PrivateKey.generate()
    public = base64.b64encode(pair.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    signature = base64.b64encode(pair.sign(b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + BODY)).decode()
    headers = HEADERS | {"webhook-signature": f"v1a,{signature}"}
    assert verifier(f"whpk_{public}").verify(headers, BODY)
    with pytest.raises(InvalidSignature):
        verifier(f"whpk_{public}").verify(headers, BODY + b" ")


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        Verifier("whsec_not base64!")
    with pytest.raises(ValueError, match="no key"):
        Verifier()
