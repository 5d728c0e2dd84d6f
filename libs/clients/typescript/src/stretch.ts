/** One connection of a subscription: frames as they come, with an eye on the clock. */
import type { ClientReadableStream } from "@grpc/grpc-js";

import { Silent } from "./errors.js";
import type { SubscribeResponse } from "./contracts/ryggrad/events/v1/event_stream_pb.js";

/** Reads a call. What waits to be read waits at the server, by the flow control of HTTP/2. */
export class Stretch {
  readonly #call: ClientReadableStream<SubscribeResponse>;
  readonly #frames: AsyncIterator<SubscribeResponse>;

  constructor(call: ClientReadableStream<SubscribeResponse>) {
    this.#call = call;
    this.#frames = call[Symbol.asyncIterator]();
    // An error after somebody stopped waiting is nobody's.
    call.on("error", () => {});
  }

  /** Whether the next frame is still to come. */
  get isWaiting(): boolean {
    return this.#call.readableLength === 0;
  }

  /**
   * The next frame; undefined when the server closed the stream in order, or `stop` has ended the waiting.
   *
   * @throws Silent when none comes in so many milliseconds, ServiceError when the call broke.
   */
  async next(patience: number, stop: AbortSignal): Promise<SubscribeResponse | undefined> {
    let timer: NodeJS.Timeout | undefined;
    let stopped: (() => void) | undefined;
    const next = this.#frames.next();
    next.catch(() => {});
    try {
      const frame = await Promise.race([
        next,
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Silent("nothing was heard of the server")), patience);
        }),
        new Promise<undefined>((resolve) => {
          stopped = () => resolve(undefined);
          stop.addEventListener("abort", stopped);
        }),
      ]);
      return frame === undefined || frame.done === true ? undefined : frame.value;
    } finally {
      clearTimeout(timer);
      if (stopped) stop.removeEventListener("abort", stopped);
    }
  }

  close(): void {
    this.#call.cancel();
  }
}
