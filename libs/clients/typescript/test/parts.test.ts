/** What a subscription is made of: checkpoints, events, filters, signatures. */
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { create, toBinary } from "@bufbuild/protobuf";

import { EnvelopeSchema } from "../src/contracts/ryggrad/common/v1/common_pb.js";
import {
  OrganisationDeletedSchema,
  OrganisationRegisteredSchema,
} from "../src/contracts/ryggrad/registration/v1/organisation_pb.js";
import { filterMessage } from "../src/filter.js";
import { CheckpointError, Event, FileCheckpoint } from "../src/index.js";
import { InvalidSignature, Verifier } from "../src/webhooks.js";

const deleted = create(OrganisationDeletedSchema, { orgnr: "310000019", slettedato: "2026-03-02" });

function event(type = "no.ryggrad.registration.OrganisationDeleted.v1"): Event {
  const data = toBinary(OrganisationDeletedSchema, deleted);
  return new Event(create(EnvelopeSchema, { position: 7n, type, data, occurredAt: { seconds: 1_772_452_800n } }));
}

test("a file gives back what was stored last", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ryggrad-"));
  const checkpoint = new FileCheckpoint(join(folder, "cursor.json"));
  assert.equal(await checkpoint.load(), undefined);
  for (const position of [1, 2]) await checkpoint.store({ epoch: "e", position });
  assert.deepEqual(await checkpoint.load(), { epoch: "e", position: 2 });
  assert.deepEqual(await readdir(folder), ["cursor.json"], "nothing is left beside it");
});

test("a file that is no cursor is an error that names it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ryggrad-"));
  for (const text of ["{", '{"epoch":"e"}', "null"]) {
    await writeFile(join(folder, "cursor.json"), text);
    await assert.rejects(new FileCheckpoint(join(folder, "cursor.json")).load(), CheckpointError);
  }
  const nowhere = new FileCheckpoint(join(folder, "nowhere", "cursor.json"));
  await assert.rejects(Promise.resolve(nowhere.store({ epoch: "e", position: 1 })), /nowhere/);
});

test("an event is decoded into its message and JSON", () => {
  assert.deepEqual([event().context, event().name, event().position], ["registration", "OrganisationDeleted", 7]);
  assert.deepEqual(event().message(), deleted);
  assert.equal(event().decode(OrganisationDeletedSchema)?.orgnr, "310000019");
  assert.equal(event().decode(OrganisationRegisteredSchema), undefined);
  assert.deepEqual(event().json(), { orgnr: "310000019", slettedato: "2026-03-02" });
  const whole = JSON.parse(JSON.stringify(event()));
  assert.equal(whole.payload.orgnr, "310000019");
  assert.equal(whole.occurredAt, "2026-03-02T12:00:00Z");
});

test("an event of a later version keeps its bytes", () => {
  const later = event("no.ryggrad.registration.SomethingNew.v1");
  assert.equal(later.message(), undefined);
  assert.equal(later.json(), undefined);
  assert.equal(later.toJSON()["data"], Buffer.from(later.envelope.data).toString("base64"));
});

test("a filter says what the contract does", () => {
  const message = filterMessage({ types: ["OrganisationDeleted"], classes: ["PUBLIC"] });
  assert.deepEqual([message.types, message.classes], [["OrganisationDeleted"], [1]]);
});

// The example of the specification.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const headers = {
  "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
  "webhook-timestamp": "1614265330",
  "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const body = '{"test": 2432232314}';
const verifier = (...keys: string[]) => new Verifier(keys, { now: () => 1_614_265_330_000 });

test("the example of the specification is verified, also while secrets change", () => {
  const other = `whsec_${Buffer.from("another").toString("base64")}`;
  assert.equal(verifier(other, secret).verify(headers, body), "msg_p5jXN8AQM9LWM0D4loKWxJek");
  assert.ok(verifier(secret).verify(new Headers(headers), Buffer.from(body)));
});

test("whatever was changed is noticed", () => {
  for (const changed of [
    { "webhook-signature": "v1,AAAA v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
    { "webhook-signature": "v1,not base64" },
    { "webhook-timestamp": "1614265331" },
    { "webhook-timestamp": "1614264000" },
    { "webhook-timestamp": "yesterday" },
    { "Webhook-Id": "msg_another" },
  ]) {
    assert.throws(() => verifier(secret).verify({ ...headers, ...changed }, body), InvalidSignature);
  }
  assert.throws(() => verifier(secret).verify({}, body), InvalidSignature);
  assert.throws(() => verifier(secret).verify(headers, `${body} `), InvalidSignature);
});

test("a signature of a key pair is verified with its public half", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  const signed = Buffer.from(`msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.${body}`);
  const signature = `v1a,${sign(null, signed, privateKey).toString("base64")}`;
  assert.ok(verifier(`whpk_${raw}`).verify({ ...headers, "webhook-signature": signature }, body));
  const other = { ...headers, "webhook-signature": signature };
  assert.throws(() => verifier(`whpk_${raw}`).verify(other, `${body} `), InvalidSignature);
});

test("a key that is none is refused", () => {
  assert.throws(() => verifier("whsec_not base64!"), TypeError);
  assert.throws(() => verifier(), TypeError);
});
