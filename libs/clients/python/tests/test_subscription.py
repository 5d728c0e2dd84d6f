"""A subscription against a server that misbehaves: what it hides, and what it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from play import Act, Fail, Freeze, Play, batch, caught_up, heartbeat, other_epoch, serve, started

from ryggrad import (
    CaughtUp,
    Client,
    Cursor,
    EpochChanged,
    Filter,
    Heartbeat,
    MemoryCheckpoint,
    OutOfOrder,
    Refused,
    Silent,
    Start,
    Superseded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ryggrad import Subscription

UNAVAILABLE = Fail(grpc.StatusCode.UNAVAILABLE)
Stage = Callable[..., tuple[Play, Client]]


@pytest.fixture
def stage() -> Iterator[Stage]:
    opened = []

    def play(*acts: Act, token: str | Callable[[], str] | None = None) -> tuple[Play, Client]:
        stage, server = serve(*acts)
        client = Client(stage.url, token=token)
        opened.append((stage, server, client))
        return stage, client

    yield play
    for stage, server, client in opened:
        stage.over.set()
        client.close()
        server.stop(None).wait()


def positions(subscription: Subscription) -> list[int]:
    return [event.position for event in subscription]


def until(subscription: Subscription, last: int) -> list[int]:
    """Positions up to one, after which the subscription is closed."""
    found = []
    for event in subscription:
        found.append(event.position)
        if event.position >= last:
            subscription.close()
    return found


def test_goes_on_after_the_last_event_when_the_connection_breaks(stage: Stage) -> None:
    play, client = stage(
        [started(0), batch(1, 2), UNAVAILABLE],
        [started(2), batch(5), Fail(grpc.StatusCode.INTERNAL)],
        [started(5)],
        [started(5), batch(6, 9), caught_up(12)],
    )
    subscription = client.subscribe(stop_at_head=True)
    assert positions(subscription) == [1, 2, 5, 6, 9]
    assert [(asked.after, asked.epoch) for asked in play.asked] == [(0, ""), (2, "e1"), (5, "e1"), (5, "e1")]
    assert subscription.cursor == Cursor(12, "e1")


def test_asks_for_the_next_event_once_it_knows_where_now_is(stage: Stage) -> None:
    play, client = stage(
        [UNAVAILABLE],
        [started(40), UNAVAILABLE],
        [started(40), batch(41), caught_up(41)],
    )
    assert positions(client.subscribe(start=Start.now(), stop_at_head=True)) == [41]
    assert [(asked.from_now, asked.after) for asked in play.asked] == [(True, 0), (True, 0), (False, 40)]


def test_leaves_a_server_that_falls_silent(stage: Stage) -> None:
    play, client = stage([started(0), batch(1), Freeze()], [started(1), batch(2), caught_up(2)])
    assert positions(client.subscribe(heartbeat=0.1, stop_at_head=True)) == [1, 2]
    assert len(play.asked) == 2


def test_waits_as_long_as_the_server_says(stage: Stage) -> None:
    busy = Fail(grpc.StatusCode.UNAVAILABLE, "busy", [RetryInfo(retry_delay=Duration(nanos=1_000_000))])
    play, client = stage([busy], [started(0), caught_up(0)])
    assert positions(client.subscribe(stop_at_head=True)) == []
    assert len(play.asked) == 2
    play.acts.append([Fail(grpc.StatusCode.INVALID_ARGUMENT, "types: no such event", busy.details)])
    with pytest.raises(Refused) as refused:
        positions(client.subscribe(Filter(types=["Nonsense"])))
    assert refused.value.retry_after == 0.001


def test_gives_up_when_it_was_told_to(stage: Stage) -> None:
    _, client = stage()
    with pytest.raises(Refused, match="the play is over"):
        positions(client.subscribe(give_up_after=0.2))
    _, client = stage(*[[started(0), Freeze()]] * 9)
    with pytest.raises(Silent):
        positions(client.subscribe(heartbeat=0.1, give_up_after=0.0))


@pytest.mark.parametrize(
    "act",
    [
        [started(6), batch(8, 7)],
        [started(6), batch(6)],
        [started(6), batch(8), heartbeat(7)],
        [started(6), batch(8), batch(8)],
        [batch(7)],
        [started(9)],
    ],
    ids=["back", "again", "mark behind", "twice", "without a start", "ahead of the cursor"],
)
def test_what_comes_out_of_order_is_an_error(stage: Stage, act: Act) -> None:
    play, client = stage([started(6), UNAVAILABLE], act)
    with pytest.raises(OutOfOrder):
        positions(client.subscribe(start=Start.after(6)))
    assert len(play.asked) == 2


def test_another_epoch_is_an_error_however_it_is_told(stage: Stage) -> None:
    _, client = stage([other_epoch("e2")])
    with pytest.raises(EpochChanged) as changed:
        positions(client.subscribe(start=Start.after(Cursor(3, "e1"))))
    assert changed.value.got == "e2"
    _, client = stage([started(0), batch(1), UNAVAILABLE], [started(1, "e2")])
    with pytest.raises(EpochChanged):
        positions(client.subscribe())


def test_a_consumer_that_was_stopped_goes_on_where_its_checkpoint_says(stage: Stage) -> None:
    checkpoint = MemoryCheckpoint()
    play, client = stage([started(0), batch(1, 2, 3), Freeze()], [started(2), batch(3), caught_up(3)])
    subscription = client.subscribe(checkpoint=checkpoint, store_every=0.0)
    assert until(subscription, 3) == [1, 2, 3]
    assert checkpoint.load() == Cursor(2, "e1"), "the third was not asked past: it may not have been dealt with"
    assert positions(client.subscribe(checkpoint=checkpoint, stop_at_head=True)) == [3]
    assert play.asked[1].after == 2
    assert checkpoint.load() == Cursor(3, "e1")


def test_signs_of_life_move_the_checkpoint(stage: Stage) -> None:
    checkpoint = MemoryCheckpoint()
    _, client = stage([started(0), batch(1), heartbeat(50), caught_up(60)])
    messages = list(client.subscribe(checkpoint=checkpoint, stop_at_head=True).messages())
    assert messages[1:] == [Heartbeat(50, 50), CaughtUp(60, 60)]
    assert checkpoint.load() == Cursor(60, "e1")


def test_a_durable_subscription_acknowledges_and_hides_what_comes_again(stage: Stage) -> None:
    play, client = stage(
        [started(4), batch(5, 6), UNAVAILABLE],
        [started(4), batch(5, 6, 8), caught_up(9)],
    )
    assert positions(client.subscribe(durable="payouts", replace=True, stop_at_head=True)) == [5, 6, 8]
    assert play.acknowledged[-1] == 9
    assert play.acknowledged == sorted(play.acknowledged)
    assert [asked.replace for asked in play.asked] == [True, False], "made anew only once"


def test_an_acknowledgement_that_fails_is_made_up_for(stage: Stage) -> None:
    play, client = stage([started(0), batch(1, 2), UNAVAILABLE], [started(0), batch(1, 2, 3), caught_up(3)])
    play.away = 2
    assert positions(client.subscribe(durable="payouts", store_every=0.0, stop_at_head=True)) == [1, 2, 3]
    assert play.away == 0
    assert play.acknowledged[-1] == 3


def test_who_was_superseded_does_not_fight_back(stage: Stage) -> None:
    play, client = stage([started(0), Fail(grpc.StatusCode.ABORTED, "another consumer")])
    with pytest.raises(Superseded, match="another consumer"):
        positions(client.subscribe(durable="payouts"))
    assert len(play.asked) == 1


def test_each_call_has_the_token_of_its_moment(stage: Stage) -> None:
    tokens = iter(["one", "two", "three", "four"])
    expired = Fail(grpc.StatusCode.UNAUTHENTICATED, "the token has expired")
    play, client = stage(
        [started(0), batch(1), expired], [started(1), caught_up(1)], [expired], token=lambda: next(tokens)
    )
    assert positions(client.subscribe(stop_at_head=True)) == [1]
    client.head()
    assert play.tokens == ["Bearer one", "Bearer two", "Bearer three"]


def test_a_token_that_is_no_good_is_not_tried_for_ever(stage: Stage) -> None:
    refused = [Fail(grpc.StatusCode.UNAUTHENTICATED, "no such key")]
    play, client = stage(refused, refused, refused, token=lambda: "bad")
    with pytest.raises(Refused, match="no such key"):
        positions(client.subscribe())
    assert len(play.asked) <= 2


def test_a_token_does_not_leave_the_machine_unencrypted() -> None:
    with pytest.raises(ValueError, match="use https"):
        Client("http://ryggrad.example", token="secret")  # noqa: S106
    with pytest.raises(ValueError, match="not an address"):
        Client("ryggrad.example:8080")


def test_a_refusal_says_what_is_wrong_with_which_field(stage: Stage) -> None:
    _, client = stage()
    with pytest.raises(Refused) as refused:
        client.get(7)
    assert refused.value.code is grpc.StatusCode.NOT_FOUND
    assert refused.value.fields == {"position": "there is no event 7"}
    assert refused.value.texts == {"nb": "finnes ikke"}


def test_closing_lets_a_waiting_consumer_go(stage: Stage) -> None:
    _, client = stage([started(0), batch(1), Freeze()])
    assert until(client.subscribe(heartbeat=60), 1) == [1]
