/** What can go wrong, and what the server says about it. */
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ServiceError, status as Code } from "@grpc/grpc-js";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  LocalizedMessageSchema,
  RetryInfoSchema,
  StatusSchema,
} from "./contracts/google/rpc/errors_pb.js";

/** Whatever this package throws. */
export class RyggradError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * The log is another one than the cursor is of: it was restored, and positions may have been given twice.
 *
 * Nothing goes on by itself: whoever follows decides what to do with what it had from the old log.
 */
export class EpochChanged extends RyggradError {
  constructor(
    readonly expected: string,
    readonly got: string,
  ) {
    super(`the cursor is of the log ${expected} and the log is ${got}: it was restored`);
  }
}

/** A position came that could not come. Never seen with a healthy server; do not go on. */
export class OutOfOrder extends RyggradError {
  constructor(
    readonly after: number,
    readonly got: number,
  ) {
    super(`position ${got} came after ${after}`);
  }
}

/** Nothing was heard of the server for three heartbeats. */
export class Silent extends RyggradError {}

/** Another consumer of the same durable subscription has taken over; the newest is served. */
export class Superseded extends RyggradError {}

/** A checkpoint cannot be read or written. */
export class CheckpointError extends RyggradError {}

/** What a refusal says beside its code. */
export interface Details {
  /** Machine-readable reason, for example CURSOR_BEYOND_HEAD; empty when the server told none. */
  readonly reason: string;
  /** What belongs to the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What is wrong with which field. */
  readonly fields: Readonly<Record<string, string>>;
  /** What to do, by language: nb, nn, en. */
  readonly texts: Readonly<Record<string, string>>;
  /** Milliseconds until it makes sense to come back, when the server told. */
  readonly retryAfterMs: number | undefined;
}

/** The server said no. */
export class Refused extends RyggradError {
  constructor(
    /** The code of gRPC. */
    readonly code: Code,
    /** What the server said. */
    readonly said: string,
    readonly details: Details = NOTHING,
    options?: ErrorOptions,
  ) {
    super(`${said} (${Code[code]})`, options);
  }
}

const NOTHING: Details = { reason: "", metadata: {}, fields: {}, texts: {}, retryAfterMs: undefined };

/**
 * The error of a call in our own words; `epoch` is the one that the call was made with.
 *
 * @throws an error that is not of a call, as it is.
 */
export function fromRpc(error: unknown, epoch = ""): RyggradError {
  if (error instanceof RyggradError) return error;
  // Not of the call: whoever made it knows better, for example the function that has the tokens.
  if (!isServiceError(error)) throw error;
  const packed = error.metadata?.get("grpc-status-details-bin")[0];
  const details = packed instanceof Uint8Array ? read(packed) : NOTHING;
  if (details.reason === "OTHER_EPOCH") return new EpochChanged(epoch, details.metadata["epoch"] ?? "");
  return new Refused(error.code, error.details, details, { cause: error });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}

/** The details of google.rpc.Status. */
function read(packed: Uint8Array): Details {
  let { reason, metadata, retryAfterMs } = NOTHING;
  const fields: Record<string, string> = {};
  const texts: Record<string, string> = {};
  for (const detail of fromBinary(StatusSchema, packed).details) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info) ({ reason, metadata } = info);
    for (const violation of anyUnpack(detail, BadRequestSchema)?.fieldViolations ?? [])
      fields[violation.field] = violation.description;
    const text = anyUnpack(detail, LocalizedMessageSchema);
    if (text) texts[text.locale] = text.message;
    const delay = anyUnpack(detail, RetryInfoSchema)?.retryDelay;
    if (delay) retryAfterMs = Number(delay.seconds) * 1_000 + delay.nanos / 1_000_000;
  }
  return { reason, metadata, fields, texts, retryAfterMs };
}
