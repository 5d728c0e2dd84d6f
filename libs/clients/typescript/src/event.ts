/** One event as it was received. */
import {
  createRegistry,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Message,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";

import { contracts } from "./contracts/index.js";
import { type Envelope, EnvelopeSchema } from "./contracts/ryggrad/common/v1/common_pb.js";

const registry = createRegistry(...contracts);

/** One event: its envelope, and its payload still in the bytes that were published first. */
export class Event {
  constructor(
    /** The envelope as it came. */
    readonly envelope: Envelope,
  ) {}

  /** Position in the log: 1, 2, 3, …; the cursor. */
  get position(): number {
    return Number(this.envelope.position);
  }

  /** UUID of the event. */
  get id(): string {
    return this.envelope.eventId;
  }

  /** CloudEvents type, for example no.ryggrad.registration.OrganisationRegistered.v1. */
  get type(): string {
    return this.envelope.type;
  }

  /** Context that it belongs to, for example registration. */
  get context(): string {
    return this.#words[2] ?? "";
  }

  /** Name of its message, for example OrganisationRegistered. */
  get name(): string {
    return this.#words[3] ?? "";
  }

  /** UUID of the organisation, or of the initiative or founding that may become one. */
  get organisationId(): string {
    return this.envelope.organisationId;
  }

  /** Organisation number; empty when the organisation has none yet. */
  get orgnr(): string {
    return this.envelope.orgnr;
  }

  /** Municipality number; empty when it is not known. */
  get kommunenummer(): string {
    return this.envelope.kommunenummer;
  }

  /** When it happened, by the business clock. */
  get occurredAt(): Date | undefined {
    return instant(this.envelope.occurredAt);
  }

  /** When it was written, by the wall clock. */
  get recordedAt(): Date | undefined {
    return instant(this.envelope.recordedAt);
  }

  /**
   * The payload as the message of the contracts that its type says; undefined for a type of a later version.
   *
   * @throws when the bytes are not that message.
   */
  message(): Message | undefined {
    const schema = this.#schema();
    return schema && fromBinary(schema, this.envelope.data);
  }

  /**
   * The payload when it is of this kind of message; undefined when the event is another.
   *
   * @throws when the bytes are not that message.
   */
  decode<Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined {
    return this.#schema()?.typeName === schema.typeName ? fromBinary(schema, this.envelope.data) : undefined;
  }

  /** Canonical JSON of the payload; undefined for a type of a later version. */
  json(): JsonValue | undefined {
    const schema = this.#schema();
    return schema && toJson(schema, fromBinary(schema, this.envelope.data), { registry });
  }

  /** The envelope in canonical JSON, with the payload as `payload` in place of its bytes when its type is known. */
  toJSON(): JsonObject {
    const { data, ...whole } = toJson(EnvelopeSchema, this.envelope, { registry }) as JsonObject;
    const payload = this.json();
    return payload === undefined ? { ...whole, data: data ?? "" } : { ...whole, payload };
  }

  get #words(): string[] {
    const words = this.envelope.type.split(".");
    return words.length === 5 ? words : [];
  }

  #schema(): DescMessage | undefined {
    return registry.getMessage(`ryggrad.${this.context}.v1.${this.name}`);
  }
}

export function instant(stamp: Timestamp | undefined): Date | undefined {
  return stamp && timestampDate(stamp);
}
