/** Follows the stream: connects, watches, checks, and connects again. */
import { setTimeout as pauseFor } from "node:timers/promises";

import { clone, create } from "@bufbuild/protobuf";
import { status as Code, type ClientReadableStream } from "@grpc/grpc-js";

import type { Checkpoint, Cursor } from "./checkpoint.js";
import {
  type SubscribeRequest,
  SubscribeRequestSchema,
  type SubscribeResponse,
} from "./contracts/ryggrad/events/v1/event_stream_pb.js";
import { fromRpc, Refused, type RyggradError, Silent, Superseded } from "./errors.js";
import { Event } from "./event.js";
import { Order } from "./order.js";
import { Stretch } from "./stretch.js";
import { ANSWER } from "./transport.js";

/** The first and the longest pause before connecting again, in milliseconds. */
const PAUSES = [50, 5_000] as const;
/** After so many heartbeats without one the server is taken for lost. */
const MISSED = 3;
/** Room for the way of a heartbeat, in milliseconds. */
const GRACE = 500;

const TRANSIENT = new Set<Code>([
  Code.UNAVAILABLE,
  Code.UNKNOWN,
  Code.INTERNAL,
  Code.CANCELLED,
  Code.ABORTED,
  Code.DEADLINE_EXCEEDED,
  Code.RESOURCE_EXHAUSTED,
]);

/** What a subscription brings. */
export type Message =
  | { readonly kind: "event"; readonly position: number; readonly event: Event }
  /** Everything recorded until now has come. Said once, and again after every time that we fell behind. */
  | { readonly kind: "caughtUp"; readonly position: number; readonly head: number }
  /** There is nothing new, and contact is not lost. */
  | { readonly kind: "heartbeat"; readonly position: number; readonly head: number };

/** How a subscription behaves. */
export interface Behaviour {
  readonly request: SubscribeRequest;
  readonly checkpoint: Checkpoint | undefined;
  readonly storeEveryMs: number;
  readonly giveUpAfterMs: number | undefined;
  readonly renewsTokens: boolean;
  readonly signal: AbortSignal | undefined;
  readonly follow: (request: SubscribeRequest) => Promise<ClientReadableStream<SubscribeResponse>>;
}

/**
 * Events in the order of the log; iterate over it once.
 *
 * It ends by `close`, at the head when that was asked for, or with an error that trying again does not mend. Whoever asks for
 * the next event has dealt with all before it: that is what the checkpoint remembers.
 */
export class Subscription implements AsyncIterable<Event> {
  readonly #behaviour: Behaviour;
  readonly #order = new Order();
  readonly #stop = new AbortController();
  readonly #waiting: Message[] = [];
  #request: SubscribeRequest;
  #stretch: Stretch | undefined;
  #pause: number = PAUSES[0];
  #heard = Date.now();
  #caughtUp = false;
  #cursor: Cursor;
  #stored: { cursor: Cursor; at: number };

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.#request = behaviour.request;
    this.#cursor = { epoch: this.#request.epoch, position: Number(this.#request.after) };
    this.#stored = { cursor: this.#cursor, at: Date.now() };
  }

  /** Where to go on after everything that was taken so far: store it with the effect of the last event. */
  get cursor(): Cursor {
    return this.#cursor;
  }

  /** The events; signs of life are passed over. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    for await (const message of this.messages()) if (message.kind === "event") yield message.event;
  }

  /** Events, and between them what the server says when there are none. */
  async *messages(): AsyncGenerator<Message, void, undefined> {
    const outside = this.#behaviour.signal;
    const close = () => this.close();
    outside?.addEventListener("abort", close);
    if (outside?.aborted) close();
    try {
      await this.#begin();
      for (;;) {
        const message = await this.#next();
        if (message === undefined) return;
        yield message;
      }
    } finally {
      outside?.removeEventListener("abort", close);
      this.close();
    }
  }

  /** Stores in the checkpoint, now, that everything taken so far has been dealt with. */
  async acknowledge(): Promise<void> {
    await this.#store();
  }

  /** Stores the cursor; a server that is away keeps it a moment later. */
  async #remember(): Promise<void> {
    try {
      await this.#store();
    } catch (error) {
      if (!(error instanceof Refused) || !TRANSIENT.has(error.code)) throw error;
    }
  }

  async #store(): Promise<void> {
    const { checkpoint } = this.#behaviour;
    const cursor = this.#cursor;
    const { cursor: stored } = this.#stored;
    const same = stored.position === cursor.position && stored.epoch === cursor.epoch;
    if (checkpoint === undefined || same || cursor.epoch === "") return;
    await checkpoint.store(cursor);
    this.#stored = { cursor, at: Date.now() };
  }

  /** Ends the subscription. What was taken last counts as not dealt with unless acknowledged. */
  close(): void {
    this.#stop.abort();
    this.#stretch?.close();
  }

  async #begin(): Promise<void> {
    const stored = await this.#behaviour.checkpoint?.load();
    if (stored === undefined) return;
    this.#request = begun(this.#request, stored);
    this.#cursor = stored;
    this.#stored = { cursor: stored, at: Date.now() };
  }

  async #next(): Promise<Message | undefined> {
    while (!this.#stop.signal.aborted) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        // The consumer is back: what it had is dealt with.
        if (Date.now() - this.#stored.at >= this.#behaviour.storeEveryMs) await this.#remember();
        this.#cursor = { epoch: this.#order.epoch, position: message.position };
        return message;
      }
      if (this.#stretch === undefined || this.#stretch.isWaiting) await this.#remember();
      try {
        if (!(await this.#listen())) return undefined;
      } catch (error) {
        await this.#interrupted(fromRpc(error, this.#order.epoch));
      }
    }
    return undefined;
  }

  /** Takes one frame in; false when the subscription was to stop at the head and has, or was closed. */
  async #listen(): Promise<boolean> {
    const { request, follow } = this.#behaviour;
    let patience = request.heartbeatMs * MISSED + GRACE;
    if (this.#stretch === undefined) {
      patience = Math.max(patience, ANSWER);
      this.#order.again();
      this.#stretch = new Stretch(await follow(this.#request));
    }
    const frame = await this.#stretch.next(patience, this.#stop.signal);
    if (this.#stop.signal.aborted) return false;
    if (frame === undefined) {
      if (!this.#caughtUp || !request.stopAtHead) throw new Silent("the server closed the stream");
      await this.#store();
      return false;
    }
    this.#heard = Date.now();
    this.#receive(frame.frame);
    return true;
  }

  #receive(frame: SubscribeResponse["frame"]): void {
    if (frame.case === "started") {
      this.#order.begin(Number(frame.value.after), frame.value.epoch);
      const { last = 0, epoch } = this.#order;
      if (this.#cursor.epoch === "") this.#cursor = { epoch, position: last };
      this.#request = begun(this.#request, { epoch, position: last });
      return;
    }
    // The server works: whatever interrupts it now is new.
    this.#pause = PAUSES[0];
    if (frame.case === "batch") {
      for (const envelope of frame.value.events) {
        const position = Number(envelope.position);
        if (this.#order.event(position)) this.#waiting.push({ kind: "event", position, event: new Event(envelope) });
      }
    } else if (frame.case === "caughtUp" || frame.case === "heartbeat") {
      this.#caughtUp ||= frame.case === "caughtUp";
      const [position, head] = [Number(frame.value.position), Number(frame.value.head)];
      if (this.#order.mark(position)) this.#waiting.push({ kind: frame.case, position, head });
    }
    this.#request.after = BigInt(this.#order.last ?? 0);
  }

  /** Waits before the next attempt, or throws what trying again does not mend. */
  async #interrupted(error: RyggradError): Promise<void> {
    const hadBegun = this.#stretch !== undefined;
    this.#stretch?.close();
    this.#stretch = undefined;
    if (this.#stop.signal.aborted) return;
    const retryAfter = this.#mendable(error, hadBegun);
    const { giveUpAfterMs } = this.#behaviour;
    if (giveUpAfterMs !== undefined && Date.now() - this.#heard > giveUpAfterMs) throw error;
    // Between half of the pause and all of it: those who lost the server together do not come back together.
    const pause = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, PAUSES[1]);
    const waited = pauseFor(Math.max(pause, retryAfter), undefined, { signal: this.#stop.signal });
    // Closed meanwhile: the loop sees it.
    await waited.catch(() => {});
  }

  /** Milliseconds that the server wants us to wait; throws the error when trying again cannot help. */
  #mendable(error: RyggradError, hadBegun: boolean): number {
    if (error instanceof Silent) return 0;
    if (!(error instanceof Refused)) throw error;
    if (error.code === Code.ABORTED && this.#request.durable !== "") throw new Superseded(error.said, { cause: error });
    // A token that ran out under way is asked for anew; one that is refused at once is no good.
    const ranOut = error.code === Code.UNAUTHENTICATED && this.#behaviour.renewsTokens;
    if (ranOut && hadBegun && this.#pause === PAUSES[0]) return 0;
    if (!TRANSIENT.has(error.code)) throw error;
    return error.details.retryAfterMs ?? 0;
  }
}

/** The request once it is known where it begins. */
function begun(request: SubscribeRequest, cursor: Cursor): SubscribeRequest {
  const { filter, heartbeatMs, stopAtHead, durable, subscription, format } = clone(SubscribeRequestSchema, request);
  const same = { heartbeatMs, stopAtHead, durable, subscription, format };
  return create(SubscribeRequestSchema, {
    ...same,
    ...(filter && { filter }),
    after: BigInt(cursor.position),
    epoch: cursor.epoch,
  });
}
