/** A subscription against a server that misbehaves: what it hides, and what it must not. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { status as Code } from "@grpc/grpc-js";

import {
  Client,
  type ClientOptions,
  EpochChanged,
  MemoryCheckpoint,
  type Message,
  OutOfOrder,
  Refused,
  Silent,
  Start,
  type Subscription,
  Superseded,
} from "../src/index.js";
import { batch, caughtUp, type Deed, Failure, heartbeat, Play, started, told } from "./play.js";

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function stage(acts: Deed[][], options: ClientOptions = {}): Promise<[Play, Client]> {
  const play = await Play.serve(...acts);
  const client = new Client(play.url, options);
  opened.push(client, play);
  return [play, client];
}

const unavailable = new Failure(Code.UNAVAILABLE);

async function positions(subscription: Subscription): Promise<number[]> {
  const found: number[] = [];
  for await (const event of subscription) found.push(event.position);
  return found;
}

test("goes on after the last event when the connection breaks", async () => {
  const [play, client] = await stage([
    [started(0), batch(1, 2), unavailable],
    [started(2), batch(5), new Failure(Code.INTERNAL)],
    [started(5)],
    [started(5), batch(6, 9), caughtUp(12)],
  ]);
  const subscription = client.subscribe({ stopAtHead: true });
  assert.deepEqual(await positions(subscription), [1, 2, 5, 6, 9]);
  assert.deepEqual(
    play.asked.map(({ after, epoch }) => [Number(after), epoch]),
    [[0, ""], [2, "e1"], [5, "e1"], [5, "e1"]],
  );
  assert.deepEqual(subscription.cursor, { epoch: "e1", position: 12 });
});

test("asks for the next event once it knows where now is", async () => {
  const [play, client] = await stage([[unavailable], [started(40), unavailable], [started(40), batch(41), caughtUp(41)]]);
  assert.deepEqual(await positions(client.subscribe({ start: Start.now(), stopAtHead: true })), [41]);
  assert.deepEqual(
    play.asked.map(({ fromNow, after }) => [fromNow, Number(after)]),
    [[true, 0], [true, 0], [false, 40]],
  );
});

test("leaves a server that falls silent", async () => {
  const [play, client] = await stage([
    [started(0), batch(1), "freeze"],
    [started(1), batch(2), caughtUp(2)],
  ]);
  assert.deepEqual(await positions(client.subscribe({ heartbeatMs: 100, stopAtHead: true })), [1, 2]);
  assert.equal(play.asked.length, 2);
});

test("waits as long as the server says", async () => {
  const [play, client] = await stage([[told(Code.UNAVAILABLE, { retryMs: 300 })], [started(0), caughtUp(0)]]);
  const begun = Date.now();
  assert.deepEqual(await positions(client.subscribe({ stopAtHead: true })), []);
  assert.ok(Date.now() - begun >= 295, "it came back too early");
  assert.equal(play.asked.length, 2);
});

test("gives up when it was told to", async () => {
  const [, client] = await stage([]);
  await assert.rejects(positions(client.subscribe({ giveUpAfterMs: 200 })), /the play is over/);
  const [, silent] = await stage([[started(0), "freeze"]]);
  await assert.rejects(positions(silent.subscribe({ heartbeatMs: 100, giveUpAfterMs: 0 })), Silent);
});

for (const [name, act] of Object.entries<Deed[]>({
  back: [started(6), batch(8, 7)],
  again: [started(6), batch(6)],
  "a mark behind": [started(6), batch(8), heartbeat(7)],
  twice: [started(6), batch(8), batch(8)],
  "without a start": [batch(7)],
  "ahead of the cursor": [started(9)],
})) {
  test(`what comes out of order is an error: ${name}`, async () => {
    const [play, client] = await stage([[started(6), unavailable], act]);
    await assert.rejects(positions(client.subscribe({ start: Start.after(6) })), OutOfOrder);
    assert.equal(play.asked.length, 2);
  });
}

test("another epoch is an error however it is told", async () => {
  const [, client] = await stage([[told(Code.FAILED_PRECONDITION, { reason: "OTHER_EPOCH", metadata: { epoch: "e2" } })]]);
  const old = Start.after({ epoch: "e1", position: 3 });
  await assert.rejects(
    positions(client.subscribe({ start: old })),
    (error) => error instanceof EpochChanged && error.got === "e2",
  );
  const [, again] = await stage([[started(0), batch(1), unavailable], [started(1, "e2")]]);
  await assert.rejects(positions(again.subscribe()), EpochChanged);
});

test("a consumer that was stopped goes on where its checkpoint says", async () => {
  const checkpoint = new MemoryCheckpoint();
  const [play, client] = await stage([
    [started(0), batch(1, 2, 3), "freeze"],
    [started(2), batch(3), caughtUp(3)],
  ]);
  const found: number[] = [];
  for await (const { position } of client.subscribe({ checkpoint, storeEveryMs: 0 })) {
    found.push(position);
    if (position === 3) break;
  }
  assert.deepEqual(found, [1, 2, 3]);
  const left = checkpoint.load();
  assert.deepEqual(left, { epoch: "e1", position: 2 }, "the third was not asked past: it may not have been dealt with");
  assert.deepEqual(await positions(client.subscribe({ checkpoint, stopAtHead: true })), [3]);
  assert.equal(Number(play.asked[1]?.after), 2);
  assert.deepEqual(checkpoint.load(), { epoch: "e1", position: 3 });
});

test("signs of life move the checkpoint", async () => {
  const checkpoint = new MemoryCheckpoint();
  const [, client] = await stage([[started(0), batch(1), heartbeat(50), caughtUp(60)]]);
  const messages: Message[] = [];
  for await (const message of client.subscribe({ checkpoint, stopAtHead: true }).messages()) messages.push(message);
  assert.deepEqual(messages.slice(1), [
    { kind: "heartbeat", position: 50, head: 50 },
    { kind: "caughtUp", position: 60, head: 60 },
  ]);
  assert.equal(checkpoint.load()?.position, 60);
});

test("a durable subscription acknowledges and hides what comes again", async () => {
  const [play, client] = await stage([
    [started(4), batch(5, 6), unavailable],
    [started(4), batch(5, 6, 8), caughtUp(9)],
  ]);
  const subscription = client.subscribe({ durable: "cases", replace: true, stopAtHead: true });
  assert.deepEqual(await positions(subscription), [5, 6, 8]);
  assert.equal(play.acknowledged.at(-1), 9);
  assert.deepEqual(play.acknowledged, play.acknowledged.toSorted((one, other) => one - other));
  assert.deepEqual(play.asked.map(({ replace }) => replace), [true, false], "made anew only once");
});

test("an acknowledgement that fails is made up for", async () => {
  const [play, client] = await stage([
    [started(0), batch(1, 2), unavailable],
    [started(0), batch(1, 2, 3), caughtUp(3)],
  ]);
  play.away = 2;
  const subscription = client.subscribe({ durable: "cases", storeEveryMs: 0, stopAtHead: true });
  assert.deepEqual(await positions(subscription), [1, 2, 3]);
  assert.equal(play.away, 0);
  assert.equal(play.acknowledged.at(-1), 3);
});

test("who was superseded does not fight back", async () => {
  const [play, client] = await stage([[started(0), new Failure(Code.ABORTED, "another consumer")]]);
  await assert.rejects(positions(client.subscribe({ durable: "cases" })), Superseded);
  assert.equal(play.asked.length, 1);
});

test("each call has the token of its moment", async () => {
  const tokens = ["one", "two", "three"];
  const expired = new Failure(Code.UNAUTHENTICATED, "the token has expired");
  const [play, client] = await stage([[started(0), batch(1), expired], [started(1), caughtUp(1)]], {
    token: () => tokens.shift() ?? "",
  });
  assert.deepEqual(await positions(client.subscribe({ stopAtHead: true })), [1]);
  assert.equal((await client.head()).cursor.position, 100);
  assert.deepEqual(play.tokens, ["Bearer one", "Bearer two", "Bearer three"]);
});

test("a token that is no good, or cannot be had, is not tried for ever", async () => {
  const refused = [new Failure(Code.UNAUTHENTICATED, "no such key")];
  const [play, client] = await stage([refused, refused, refused], { token: () => "bad" });
  await assert.rejects(positions(client.subscribe()), /no such key/);
  assert.ok(play.asked.length <= 2);
  const [, none] = await stage([], { token: () => Promise.reject(new Error("the issuer is gone")) });
  await assert.rejects(positions(none.subscribe()), /the issuer is gone/);
});

test("a token does not leave the machine unencrypted", () => {
  assert.throws(() => new Client("http://ryggrad.example", { token: "secret" }), /use https/);
  assert.throws(() => new Client("ryggrad.example:8080"), /not an address/);
});

test("a refusal says what is wrong with which field", async () => {
  const [, client] = await stage([]);
  await assert.rejects(client.get(7), (error) => {
    assert.ok(error instanceof Refused);
    assert.equal(error.code, Code.NOT_FOUND);
    assert.deepEqual(error.details.fields, { position: "wrong" });
    assert.deepEqual(error.details.texts, { nb: "finnes ikke" });
    return true;
  });
});

test("a signal ends a subscription that waits", async () => {
  const [, client] = await stage([[started(0), batch(1), "freeze"]]);
  const stop = new AbortController();
  const found: number[] = [];
  for await (const { position } of client.subscribe({ heartbeatMs: 60_000, signal: stop.signal })) {
    found.push(position);
    setImmediate(() => stop.abort());
  }
  assert.deepEqual(found, [1]);
});
