/** Calls over gRPC, typed by the contracts. */
import { type DescMethodServerStreaming, type DescMethodUnary, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Client as Channel, type ClientReadableStream, credentials, Metadata } from "@grpc/grpc-js";

import { fromRpc } from "./errors.js";

/** A token, or a function that has the current one: tokens end after minutes. */
export type Tokens = string | (() => string | Promise<string>);

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);
/** Most bytes of one frame. */
const FRAME = 16 << 20;
/** Milliseconds that the server may take to answer a request. */
export const ANSWER = 15_000;
/** What only reads is asked again when the server was not there for a moment. */
const RETRIES = JSON.stringify({
  loadBalancingConfig: [],
  methodConfig: [
    {
      name: ["Read", "Get", "Head", "Catalogue", "Explain", "ListDurables", "Acknowledge"].map((method) => ({
        service: "ryggrad.events.v1.EventStream",
        method,
      })),
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.1s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
});

/** A connection, made again by itself when it breaks. */
export class Transport {
  readonly #channel: Channel;
  readonly #tokens: Tokens | undefined;

  constructor(url: string, tokens: Tokens | undefined, rootCertificates: Buffer | undefined) {
    const address = parse(url);
    const secure = address.protocol === "https:";
    if (tokens !== undefined && !secure && !LOOPBACK.has(address.hostname)) {
      throw new TypeError(`a token is not sent to ${url} unencrypted: use https`);
    }
    const target = `dns:///${address.hostname}:${address.port || (secure ? 443 : 80)}`;
    this.#channel = new Channel(target, secure ? credentials.createSsl(rootCertificates) : credentials.createInsecure(), {
      "grpc.max_receive_message_length": FRAME,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 5_000,
      "grpc.keepalive_time_ms": 20_000,
      "grpc.enable_retries": 1,
      "grpc.service_config": RETRIES,
    });
    this.#tokens = tokens;
  }

  get renewsTokens(): boolean {
    return typeof this.#tokens === "function";
  }

  /** Asks once. */
  async ask<M extends DescMethodUnary>(
    method: M,
    request: MessageShape<M["input"]>,
    epoch = "",
  ): Promise<MessageShape<M["output"]>> {
    const metadata = await this.#metadata();
    return new Promise((resolve, reject) => {
      this.#channel.makeUnaryRequest(
        path(method),
        (message: MessageShape<M["input"]>) => Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes) as MessageShape<M["output"]>,
        request,
        metadata,
        { deadline: Date.now() + ANSWER },
        (error, answer) => {
          if (answer === undefined) reject(fromRpc(error, epoch));
          else resolve(answer);
        },
      );
    });
  }

  /** Asks, and reads as long as the server answers. */
  async follow<M extends DescMethodServerStreaming>(
    method: M,
    request: MessageShape<M["input"]>,
  ): Promise<ClientReadableStream<MessageShape<M["output"]>>> {
    return this.#channel.makeServerStreamRequest(
      path(method),
      (message: MessageShape<M["input"]>) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes) as MessageShape<M["output"]>,
      request,
      await this.#metadata(),
    );
  }

  close(): void {
    this.#channel.close();
  }

  async #metadata(): Promise<Metadata> {
    const metadata = new Metadata();
    const token = typeof this.#tokens === "function" ? await this.#tokens() : this.#tokens;
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }
}

function path(method: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function parse(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === "http:" || address?.protocol === "https:") return address;
  throw new TypeError(`${JSON.stringify(url)} is not an address such as http://127.0.0.1:8080`);
}
