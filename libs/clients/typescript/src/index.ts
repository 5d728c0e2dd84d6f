/**
 * Follow the facts of Norwegian voluntary organisations, in order, from any position.
 *
 * ```ts
 * import { Client, FileCheckpoint } from "ryggrad";
 *
 * const client = new Client("http://127.0.0.1:8080");
 * const events = client.subscribe({
 *   filter: { types: ["OrganisationRegistered"] },
 *   checkpoint: new FileCheckpoint("here.json"),
 * });
 * for await (const event of events) console.log(event.position, event.name, event.orgnr);
 * ```
 *
 * A subscription reconnects by itself and goes on after the last event that came.
 */
export { type Checkpoint, type Cursor, FileCheckpoint, MemoryCheckpoint, ServerCheckpoint } from "./checkpoint.js";
export { Client, type ClientOptions, type Head, type Page, type SubscribeOptions } from "./client.js";
export {
  CheckpointError,
  EpochChanged,
  OutOfOrder,
  Refused,
  RyggradError,
  Silent,
  Superseded,
} from "./errors.js";
export { Event } from "./event.js";
export { type Filter, type PrivacyClassName, Start } from "./filter.js";
export type { Message } from "./subscription.js";
export { Subscription } from "./subscription.js";
export type { Tokens } from "./transport.js";
