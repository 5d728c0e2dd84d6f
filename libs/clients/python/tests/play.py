"""A server that plays what it is told: one act for each subscription."""

from __future__ import annotations

import threading
from concurrent import futures
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from ryggrad.contracts.common.v1.common_pb2 import Envelope
from ryggrad.contracts.events.v1 import event_stream_pb2 as pb
from ryggrad.contracts.events.v1 import event_stream_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def started(after: int, epoch: str = "e1", head: int = 100) -> pb.SubscribeResponse:
    return pb.SubscribeResponse(started=pb.Started(first_position=after + 1, epoch=epoch, after=after, head=head))


def batch(*positions: int) -> pb.SubscribeResponse:
    return pb.SubscribeResponse(batch=pb.EventBatch(events=[Envelope(position=position) for position in positions]))


def caught_up(position: int, epoch: str = "e1") -> pb.SubscribeResponse:
    return pb.SubscribeResponse(caught_up=pb.CaughtUp(position=position, head=position, epoch=epoch))


def heartbeat(position: int) -> pb.SubscribeResponse:
    return pb.SubscribeResponse(heartbeat=pb.Heartbeat(position=position, head=position))


@dataclass
class Fail:
    """The end of an act with an error."""

    code: grpc.StatusCode
    message: str = "no"
    details: Sequence[Any] = ()

    def abort(self, context: grpc.ServicerContext) -> None:
        if self.details:
            packed = []
            for detail in self.details:
                one = any_pb2.Any()
                one.Pack(detail)
                packed.append(one)
            status = status_pb2.Status(code=self.code.value[0], message=self.message, details=packed)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, self.message)


class Freeze:
    """Nothing more comes, and the connection stays."""


Act = list[Any]


def other_epoch(epoch: str) -> Fail:
    info = error_details_pb2.ErrorInfo(reason="OTHER_EPOCH", domain="ryggrad.no", metadata={"epoch": epoch})
    return Fail(grpc.StatusCode.FAILED_PRECONDITION, "epoch", [info])


@dataclass
class Play(event_stream_pb2_grpc.EventStreamServicer):
    acts: list[Act] = field(default_factory=list)
    asked: list[pb.SubscribeRequest] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    away: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def Subscribe(self, request: pb.SubscribeRequest, context: grpc.ServicerContext) -> Iterator[pb.SubscribeResponse]:  # noqa: N802
        self.asked.append(request)
        self.tokens.append(dict(context.invocation_metadata()).get("authorization", ""))
        if not self.acts:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the play is over")
        for frame in self.acts.pop(0):
            if isinstance(frame, Fail):
                frame.abort(context)
            elif isinstance(frame, Freeze):
                context.add_callback(self.over.set)
                self.over.wait(30)
                return
            else:
                yield frame

    def Acknowledge(self, request: pb.AcknowledgeRequest, context: grpc.ServicerContext) -> pb.AcknowledgeResponse:  # noqa: N802
        if self.away > 0:
            self.away -= 1
            context.abort(grpc.StatusCode.INTERNAL, "away")
        self.acknowledged.append(request.position)
        return pb.AcknowledgeResponse(position=request.position, epoch="e1")

    def Head(self, _request: pb.HeadRequest, context: grpc.ServicerContext) -> pb.HeadResponse:  # noqa: N802
        self.tokens.append(dict(context.invocation_metadata()).get("authorization", ""))
        return pb.HeadResponse(position=100, epoch="e1")

    def Get(self, request: pb.GetRequest, context: grpc.ServicerContext) -> pb.GetResponse:  # noqa: N802
        text = error_details_pb2.LocalizedMessage(locale="nb", message="finnes ikke")
        bad = error_details_pb2.BadRequest()
        bad.field_violations.add(field="position", description=f"there is no event {request.position}")
        Fail(grpc.StatusCode.NOT_FOUND, "no such event", [bad, text]).abort(context)
        raise AssertionError


def serve(*acts: Act) -> tuple[Play, grpc.Server]:
    play = Play(acts=list(acts))
    server = grpc.server(futures.ThreadPoolExecutor(4))
    event_stream_pb2_grpc.add_EventStreamServicer_to_server(play, server)
    play.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    return play, server
