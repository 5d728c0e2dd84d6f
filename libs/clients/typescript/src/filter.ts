/** Which events are wanted, and from where on. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";

import type { Cursor } from "./checkpoint.js";
import { type EventFilter, EventFilterSchema, type SubscribeRequestSchema } from "./contracts/ryggrad/events/v1/event_stream_pb.js";
import { PrivacyClass } from "./contracts/ryggrad/options/v1/options_pb.js";

/** Name of a privacy class. */
export type PrivacyClassName = Exclude<keyof typeof PrivacyClass, "UNSPECIFIED">;

/** Which events are wanted. Values of one field are alternatives; fields are all required. Empty: every event. */
export interface Filter {
  /** Event names (OrganisationRegistered) or CloudEvents types. */
  readonly types?: readonly string[];
  /** Contexts, for example registration. */
  readonly contexts?: readonly string[];
  /** Organisations, each by UUID or organisation number. */
  readonly organisations?: readonly string[];
  /** Municipality numbers (four digits) or county numbers (two digits). */
  readonly kommunenummer?: readonly string[];
  /** Privacy classes. */
  readonly classes?: readonly PrivacyClassName[];
  /** Aggregate types, for example RegistrationCase. */
  readonly aggregateTypes?: readonly string[];
}

/** The filter as the contracts have it. */
export function filterMessage(filter: Filter = {}): EventFilter {
  return create(EventFilterSchema, {
    types: [...(filter.types ?? [])],
    contexts: [...(filter.contexts ?? [])],
    organisations: [...(filter.organisations ?? [])],
    kommunenummer: [...(filter.kommunenummer ?? [])],
    classes: (filter.classes ?? []).map((name) => PrivacyClass[name]),
    aggregateTypes: [...(filter.aggregateTypes ?? [])],
  });
}

/** Where a subscription begins: at the beginning of the log unless told otherwise. */
export class Start {
  private constructor(
    /** The start as the contracts have it. */
    readonly request: MessageInitShape<typeof SubscribeRequestSchema>,
  ) {}

  /** With the first event there is. */
  static beginning(): Start {
    return new Start({});
  }

  /** With the next event that is recorded. */
  static now(): Start {
    return new Start({ fromNow: true });
  }

  /** After the last event already had, by its cursor or position. */
  static after(cursor: Cursor | number): Start {
    const { position, epoch } = typeof cursor === "number" ? { position: cursor, epoch: "" } : cursor;
    return new Start({ after: BigInt(position), epoch });
  }

  /** After the last event already had, by its UUID. */
  static afterEvent(id: string): Start {
    return new Start({ afterEventId: id });
  }

  /** With the first event that was recorded at this instant or later. */
  static at(instant: Date): Start {
    return new Start({ fromTime: timestampFromDate(instant) });
  }
}
