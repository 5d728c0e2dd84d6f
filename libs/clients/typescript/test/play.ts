/** A server that plays what it is told: one act for each subscription. */
import { create, type DescMethod, fromBinary, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { anyPack, durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  status as Code,
  type sendUnaryData,
  type ServerUnaryCall,
} from "@grpc/grpc-js";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  LocalizedMessageSchema,
  RetryInfoSchema,
  StatusSchema,
} from "../src/contracts/google/rpc/errors_pb.js";
import {
  AcknowledgeResponseSchema,
  EventStream,
  HeadResponseSchema,
  type AcknowledgeRequest,
  type AcknowledgeResponse,
  type HeadRequest,
  type HeadResponse,
  type GetRequest,
  type GetResponse,
  type SubscribeRequest,
  type SubscribeResponse,
  SubscribeResponseSchema,
} from "../src/contracts/ryggrad/events/v1/event_stream_pb.js";

type Frame = MessageInitShape<typeof SubscribeResponseSchema>;
/** A frame, the end with an error, or nothing more. */
export type Deed = Frame | Failure | "freeze";

/** The end of an act with an error. */
export class Failure {
  constructor(
    readonly code: Code,
    readonly details = "no",
    readonly metadata = new Metadata(),
  ) {}
}

export function started(after: number, epoch = "e1"): Frame {
  return {
    frame: { case: "started", value: { firstPosition: BigInt(after + 1), epoch, after: BigInt(after), head: 100n } },
  };
}

export function batch(...positions: number[]): Frame {
  return { frame: { case: "batch", value: { events: positions.map((position) => ({ position: BigInt(position) })) } } };
}

export function caughtUp(position: number): Frame {
  return { frame: { case: "caughtUp", value: { position: BigInt(position), head: BigInt(position), epoch: "e1" } } };
}

export function heartbeat(position: number): Frame {
  return { frame: { case: "heartbeat", value: { position: BigInt(position), head: BigInt(position) } } };
}

/** A failure with whatever a client may act on. */
export function told(
  code: Code,
  said: { reason?: string; metadata?: Record<string, string>; field?: string; nb?: string; retryMs?: number },
): Failure {
  const details = [
    said.reason !== undefined &&
      anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: said.reason, metadata: said.metadata ?? {} })),
    said.field !== undefined &&
      anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations: [{ field: said.field, description: "wrong" }] })),
    said.nb !== undefined &&
      anyPack(LocalizedMessageSchema, create(LocalizedMessageSchema, { locale: "nb", message: said.nb })),
    said.retryMs !== undefined &&
      anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: durationFromMs(said.retryMs) })),
  ].filter((detail) => detail !== false);
  const metadata = new Metadata();
  const packed = toBinary(StatusSchema, create(StatusSchema, { code, message: "no", details }));
  metadata.set("grpc-status-details-bin", Buffer.from(packed));
  return new Failure(code, "no", metadata);
}

export class Play {
  readonly asked: SubscribeRequest[] = [];
  readonly tokens: string[] = [];
  readonly acknowledged: number[] = [];
  /** So many acknowledgements fail. */
  away = 0;
  readonly #server = new Server();
  url = "";

  private constructor(readonly acts: Deed[][]) {}

  static async serve(...acts: Deed[][]): Promise<Play> {
    const play = new Play(acts);
    play.#server.addService(
      {
        subscribe: definition(EventStream.method.subscribe),
        head: definition(EventStream.method.head),
        get: definition(EventStream.method.get),
        acknowledge: definition(EventStream.method.acknowledge),
      },
      { subscribe: play.#subscribe, head: play.#head, get: play.#get, acknowledge: play.#acknowledge },
    );
    const port = await new Promise<number>((resolve, reject) => {
      play.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    play.url = `http://127.0.0.1:${port}`;
    return play;
  }

  close(): void {
    this.#server.forceShutdown();
  }

  readonly #subscribe = (call: ServerWritableStream<SubscribeRequest, SubscribeResponse>): void => {
    this.asked.push(call.request);
    this.tokens.push(String(call.metadata.get("authorization")[0] ?? ""));
    const act = this.acts.shift() ?? [new Failure(Code.UNAVAILABLE, "the play is over")];
    for (const deed of act) {
      if (deed === "freeze") return;
      if (deed instanceof Failure) {
        call.emit("error", deed);
        return;
      }
      call.write(create(SubscribeResponseSchema, deed));
    }
    call.end();
  };

  readonly #head = (call: ServerUnaryCall<HeadRequest, HeadResponse>, answer: sendUnaryData<HeadResponse>): void => {
    this.tokens.push(String(call.metadata.get("authorization")[0] ?? ""));
    answer(null, create(HeadResponseSchema, { position: 100n, epoch: "e1" }));
  };

  readonly #get = (_: ServerUnaryCall<GetRequest, GetResponse>, answer: sendUnaryData<GetResponse>): void => {
    answer(told(Code.NOT_FOUND, { reason: "NO_SUCH_EVENT", field: "position", nb: "finnes ikke" }));
  };

  readonly #acknowledge = (
    call: ServerUnaryCall<AcknowledgeRequest, AcknowledgeResponse>,
    answer: sendUnaryData<AcknowledgeResponse>,
  ): void => {
    if (this.away > 0) {
      this.away -= 1;
      answer(new Failure(Code.INTERNAL, "away"));
      return;
    }
    this.acknowledged.push(Number(call.request.position));
    answer(null, create(AcknowledgeResponseSchema, { position: call.request.position, epoch: "e1" }));
  };
}

function definition<M extends DescMethod>(
  method: M,
): MethodDefinition<MessageShape<M["input"]>, MessageShape<M["output"]>> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    requestSerialize: (message) => Buffer.from(toBinary(method.input, message)),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes) as MessageShape<M["input"]>,
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes) as MessageShape<M["output"]>,
  };
}
