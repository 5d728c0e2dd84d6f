/**
 * Verifies deliveries that are signed as Standard Webhooks has it.
 *
 * ```ts
 * const verifier = new Verifier(["whsec_…"]);
 * const id = verifier.verify(request.headers, body); // throws InvalidSignature
 * ```
 *
 * A delivery comes at least once: remember `webhook-id`, which is the id of the event at every attempt.
 */
import { createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify as verifySignature } from "node:crypto";

import { RyggradError } from "./errors.js";

/** The request is not what the server sent, or is too old. Answer 401 and do nothing. */
export class InvalidSignature extends RyggradError {}

/** What an Ed25519 key in SubjectPublicKeyInfo begins with. */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Knows the keys of an endpoint. */
export class Verifier {
  readonly #secrets: Buffer[];
  readonly #publicKeys: KeyObject[];
  readonly #toleranceMs: number;
  readonly #now: () => number;

  /**
   * @param keys secrets (whsec_…, for v1) and public keys (whpk_…, for v1a): several while they change.
   * @param options toleranceMs: how far the time of the request may be off, five minutes when not given.
   */
  constructor(keys: readonly string[], options: { toleranceMs?: number; now?: () => number } = {}) {
    if (keys.length === 0) throw new TypeError("there is no key to verify with");
    const isPublic = (key: string) => key.startsWith("whpk_");
    this.#secrets = keys.filter((key) => !isPublic(key)).map((key) => decoded(key.replace(/^whsec_/, "")));
    this.#publicKeys = keys.filter(isPublic).map((key) => publicKey(decoded(key.slice("whpk_".length))));
    this.#toleranceMs = options.toleranceMs ?? 300_000;
    this.#now = options.now ?? Date.now;
  }

  /**
   * The id of the delivery, when one of the signatures is right.
   *
   * @param body the body as it came, before anything has parsed it.
   * @throws InvalidSignature
   */
  verify(headers: Headers | globalThis.Headers, body: Uint8Array | string): string {
    const [id, stamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
      header(headers, name),
    ) as [string, string, string];
    if (!/^\d{1,12}$/.test(stamp) || Math.abs(this.#now() - Number(stamp) * 1_000) > this.#toleranceMs) {
      throw new InvalidSignature("the time of the request is too far off");
    }
    const signed = Buffer.concat([Buffer.from(`${id}.${stamp}.`), Buffer.from(body as Uint8Array)]);
    for (const signature of signatures.split(" ")) {
      const comma = signature.indexOf(",");
      const value = signature.slice(comma + 1);
      if (BASE64.test(value) && this.#fits(signature.slice(0, comma), Buffer.from(value, "base64"), signed)) return id;
    }
    throw new InvalidSignature("no signature fits");
  }

  #fits(version: string, given: Buffer, signed: Buffer): boolean {
    if (version === "v1") {
      const digests = this.#secrets.map((secret) => createHmac("sha256", secret).update(signed).digest());
      return digests.some((digest) => digest.length === given.length && timingSafeEqual(digest, given));
    }
    return version === "v1a" && this.#publicKeys.some((key) => verifySignature(null, signed, key, given));
  }
}

function header(headers: Headers | globalThis.Headers, name: string): string {
  const value = headers instanceof globalThis.Headers ? headers.get(name) : named(headers, name);
  if (typeof value !== "string") throw new InvalidSignature(`the header ${name} is missing`);
  return value;
}

function named(headers: Headers, name: string): string | readonly string[] | undefined {
  return Object.entries(headers).find(([other]) => other.toLowerCase() === name)?.[1];
}

function decoded(key: string): Buffer {
  if (!BASE64.test(key)) throw new TypeError("a key is whsec_ or whpk_ and base64");
  return Buffer.from(key, "base64");
}

function publicKey(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI, raw]), format: "der", type: "spki" });
}
