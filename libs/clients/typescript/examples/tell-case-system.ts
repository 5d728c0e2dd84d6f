/**
 * Tells a municipality's case system what happens to the voluntary organisations in it.
 *
 *     node tell-case-system.js --url http://127.0.0.1:8080 --kommune 4203 --cases http://127.0.0.1:9000/hendelser
 *
 * Each fact is POSTed once with the event's id as Idempotency-Key, in order, and the next one only when the case system has
 * taken it: killed in between, the last one may be sent again, and the key tells the case system that it has it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { type Checkpoint, Client, type Event, FileCheckpoint } from "../src/index.js";

const TYPES = [
  "OrganisationRegistered",
  "OrganisationDetailsChanged",
  "VoluntaryRegistrationEntered",
  "VoluntaryRegistrationDeleted",
  "DissolutionReported",
  "DissolutionRevoked",
  "OrganisationDeleted",
];

/** What to follow, and whom to tell. */
export interface Errand {
  readonly client: Client;
  readonly kommunenummer: string;
  readonly cases: string;
  readonly checkpoint: Checkpoint;
  /** Ends when everything recorded until now has been told. */
  readonly once?: boolean;
}

/** Tells everything; the number of facts told. */
export async function tellAll({ client, kommunenummer, cases, checkpoint, once = false }: Errand): Promise<number> {
  const filter = { types: TYPES, kommunenummer: [kommunenummer] };
  let told = 0;
  for await (const event of client.subscribe({ filter, checkpoint, stopAtHead: once })) {
    await tell(cases, event);
    told += 1;
  }
  return told;
}

/** Tells one fact, as often as it takes; throws when the case system does not want it. */
async function tell(cases: string, event: Event): Promise<void> {
  const body = JSON.stringify({
    hendelse: event.name,
    organisasjonsnummer: event.orgnr,
    kommunenummer: event.kommunenummer,
    tidspunkt: event.occurredAt,
    sekvensnummer: event.position,
    innhold: event.json(),
  });
  const headers = { "content-type": "application/json", "idempotency-key": event.id };
  for (let wait = 100; ; wait = Math.min(wait * 2, 30_000)) {
    const answer = await fetch(cases, { method: "POST", headers, body }).catch((error: unknown) => error);
    if (answer instanceof Response) {
      await answer.body?.cancel();
      // 409: it has this key already.
      if (answer.ok || answer.status === 409) return;
      if (answer.status < 500 && answer.status !== 429) {
        throw new Error(`the case system does not want position ${event.position}: ${answer.status}`);
      }
    }
    const asked = answer instanceof Response ? Number(answer.headers.get("retry-after") ?? 0) * 1_000 : 0;
    await pause(Math.max(asked, wait * (0.5 + Math.random() / 2)));
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string", default: process.env["RYGGRAD_URL"] ?? "http://127.0.0.1:8080" },
      kommune: { type: "string", default: "4203" },
      cases: { type: "string" },
      checkpoint: { type: "string", default: "told.json" },
      once: { type: "boolean", default: false },
    },
  });
  if (values.cases === undefined) throw new Error("--cases: where is the case system?");
  const client = new Client(values.url);
  const checkpoint = new FileCheckpoint(values.checkpoint);
  const told = await tellAll({ client, kommunenummer: values.kommune, cases: values.cases, checkpoint, once: values.once });
  console.log(`${told} facts told`);
  client.close();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
