/**
 * Keeps a copy of everything that one may see in a file, one JSON object a line.
 *
 *     node mirror.js --url http://127.0.0.1:8080 events.ndjson
 *
 * The last whole line says where to go on: there is no other memory, so that nothing is missing and nothing is there twice
 * whenever this is killed.
 */
import { type FileHandle, open } from "node:fs/promises";
import { parseArgs } from "node:util";

import { Client, type Cursor, Start } from "../src/index.js";

/** The cursor in the last whole line; a line that was not finished is taken away. */
async function lastCursor(file: FileHandle): Promise<Cursor> {
  const text = await file.readFile();
  const whole = text.subarray(0, text.lastIndexOf("\n") + 1);
  await file.truncate(whole.length);
  if (whole.length === 0) return { epoch: "", position: 0 };
  const line = whole.subarray(whole.lastIndexOf("\n", -2) + 1).toString("utf8");
  const { epoch, event } = JSON.parse(line) as { epoch: string; event: { position: string } };
  return { epoch, position: Number(event.position) };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: process.env["RYGGRAD_URL"] ?? "http://127.0.0.1:8080" },
    once: { type: "boolean", default: false },
  },
});
const file = await open(positionals[0] ?? "events.ndjson", "a+");
const token = process.env["RYGGRAD_TOKEN"];
const client = new Client(values.url, token === undefined ? {} : { token });
const subscription = client.subscribe({ start: Start.after(await lastCursor(file)), stopAtHead: values.once });
for await (const event of subscription) {
  await file.write(`${JSON.stringify({ epoch: subscription.cursor.epoch, event })}\n`);
}
await file.close();
client.close();
