/** A connection to the event stream. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";

import { type Checkpoint, type Cursor, ServerCheckpoint } from "./checkpoint.js";
import {
  CatalogueRequestSchema,
  type CatalogueResponse,
} from "./contracts/ryggrad/events/v1/catalogue_pb.js";
import {
  AcknowledgeRequestSchema,
  DeleteDurableRequestSchema,
  type Durable,
  EventStream,
  ExplainRequestSchema,
  type ExplainResponse,
  GetRequestSchema,
  HeadRequestSchema,
  ListDurablesRequestSchema,
  ReadRequestSchema,
  SubscribeRequestSchema,
} from "./contracts/ryggrad/events/v1/event_stream_pb.js";
import { Event, instant } from "./event.js";
import { type Filter, filterMessage, Start } from "./filter.js";
import { Subscription } from "./subscription.js";
import { type Tokens, Transport } from "./transport.js";

/** How to connect. */
export interface ClientOptions {
  /** A token, or a function that has the current one; open data needs none. */
  readonly token?: Tokens;
  /** Certificates to trust instead of the system's, in PEM. */
  readonly rootCertificates?: Buffer;
}

/** What to follow, and how. */
export interface SubscribeOptions {
  readonly filter?: Filter;
  /** The beginning of the log when not given. */
  readonly start?: Start;
  /** Overrides the start when it has a cursor. */
  readonly checkpoint?: Checkpoint;
  /** Name of a durable subscription: the server keeps its position. Needs a token. */
  readonly durable?: string;
  /** Makes the durable subscription anew. */
  readonly replace?: boolean;
  /** UUID of an approved subscription, for what is not open data. */
  readonly subscription?: string;
  /** Milliseconds after which the server says that it is there: 100 to 60,000; 5,000 when not given. */
  readonly heartbeatMs?: number;
  /** Ends when everything recorded until now has come. */
  readonly stopAtHead?: boolean;
  /** Milliseconds between two stores of the checkpoint while events come; 500 when not given. */
  readonly storeEveryMs?: number;
  /** Milliseconds without the server after which the last error is thrown; never when not given. */
  readonly giveUpAfterMs?: number;
  /** Closes the subscription. */
  readonly signal?: AbortSignal;
}

/** Where the log ends. */
export interface Head {
  readonly cursor: Cursor;
  readonly recordedAt: Date | undefined;
}

/** Some events, and where to read on. */
export interface Page {
  readonly events: Event[];
  /** Pass it as `after` for the next page. */
  readonly next: Cursor;
  /** Position of the last event of the log. */
  readonly head: number;
}

/** A connection to a gateway, made again by itself when it breaks. Every call throws Refused when the server says no. */
export class Client {
  readonly #transport: Transport;

  /** @param url http://127.0.0.1:8080 or https://… */
  constructor(url: string, options: ClientOptions = {}) {
    this.#transport = new Transport(url, options.token, options.rootCertificates);
  }

  /** Follows the stream; nothing is asked before the first event is. */
  subscribe(options: SubscribeOptions = {}): Subscription {
    const { durable = "", replace = false, subscription = "", heartbeatMs = 5_000, stopAtHead = false } = options;
    const start = (options.start ?? Start.beginning()).request;
    const { $typeName: _, $unknown: __, ...where } = create(SubscribeRequestSchema, start);
    const kept = durable === "" ? undefined : new ServerCheckpoint((cursor) => this.acknowledge(durable, cursor));
    return new Subscription({
      request: create(SubscribeRequestSchema, {
        ...where,
        filter: filterMessage(options.filter),
        heartbeatMs,
        stopAtHead,
        durable,
        replace,
        subscription,
      }),
      checkpoint: options.checkpoint ?? kept,
      storeEveryMs: options.storeEveryMs ?? 500,
      giveUpAfterMs: options.giveUpAfterMs,
      renewsTokens: this.#transport.renewsTokens,
      signal: options.signal,
      follow: (request) => this.#transport.follow(EventStream.method.subscribe, request),
    });
  }

  /** Reads one page of events after a position: at most `limit`, 1 to 5,000; 100 when not given. */
  async read(after: Cursor | number = 0, options: { filter?: Filter; limit?: number } = {}): Promise<Page> {
    const { after: position = 0n, epoch = "" } = Start.after(after).request;
    const filter = filterMessage(options.filter);
    const request = create(ReadRequestSchema, { after: position, epoch, limit: options.limit ?? 100, filter });
    const answer = await this.#transport.ask(EventStream.method.read, request, epoch);
    return {
      events: answer.events.map((envelope) => new Event(envelope)),
      next: { epoch: answer.epoch, position: Number(answer.nextPosition) },
      head: Number(answer.head),
    };
  }

  /** Tells where the log ends. */
  async head(): Promise<Head> {
    const answer = await this.#transport.ask(EventStream.method.head, create(HeadRequestSchema));
    const cursor = { epoch: answer.epoch, position: Number(answer.position) };
    return { cursor, recordedAt: instant(answer.recordedAt) };
  }

  /** Reads one event, by its position or its UUID. One that the caller may not see is not there: NOT_FOUND. */
  async get(event: number | string): Promise<Event> {
    const which =
      typeof event === "number"
        ? ({ case: "position", value: BigInt(event) } as const)
        : ({ case: "eventId", value: event } as const);
    const answer = await this.#transport.ask(EventStream.method.get, create(GetRequestSchema, { event: which }));
    if (answer.event === undefined) throw new TypeError("the answer has no event");
    return new Event(answer.event);
  }

  /** Tells which events there are: what each means, whom it may reach, its schema and an example. */
  async catalogue(request: MessageInitShape<typeof CatalogueRequestSchema> = {}): Promise<CatalogueResponse> {
    return this.#transport.ask(EventStream.method.catalogue, create(CatalogueRequestSchema, request));
  }

  /** Tells which of some events a subscription would bring, and what holds back each of the others. */
  async explain(request: MessageInitShape<typeof ExplainRequestSchema>): Promise<ExplainResponse> {
    return this.#transport.ask(EventStream.method.explain, create(ExplainRequestSchema, request));
  }

  /** Tells the server that everything up to the cursor has been dealt with; where the subscription stands now. */
  async acknowledge(durable: string, cursor: Cursor, options: { rewind?: boolean } = {}): Promise<Cursor> {
    const { epoch, position } = cursor;
    const { rewind = false } = options;
    const request = create(AcknowledgeRequestSchema, { durable, position: BigInt(position), epoch, rewind });
    const answer = await this.#transport.ask(EventStream.method.acknowledge, request, epoch);
    return { epoch: answer.epoch, position: Number(answer.position) };
  }

  /** Lists the durable subscriptions of the caller's organisation. */
  async durables(): Promise<Durable[]> {
    const answer = await this.#transport.ask(EventStream.method.listDurables, create(ListDurablesRequestSchema));
    return answer.durables;
  }

  /** Forgets a durable subscription; whoever follows it is cut off. */
  async deleteDurable(durable: string): Promise<void> {
    await this.#transport.ask(EventStream.method.deleteDurable, create(DeleteDurableRequestSchema, { durable }));
  }

  /** Closes the connection. */
  close(): void {
    this.#transport.close();
  }
}
