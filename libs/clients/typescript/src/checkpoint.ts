/** Where a consumer remembers how far it has come. */
import { open, readFile, rename } from "node:fs/promises";

import { CheckpointError } from "./errors.js";

/** How far a consumer has come in which log. */
export interface Cursor {
  /** Epoch of the log; empty when it is not known. */
  readonly epoch: string;
  /** Everything up to this position has been dealt with. */
  readonly position: number;
}

/**
 * Remembers a cursor.
 *
 * A consumer whose effects are in a database does better to store the cursor there, in the transaction of the effect: then
 * each event has its effect exactly once.
 */
export interface Checkpoint {
  /** The cursor that was stored last; none before the first time. */
  load(): Promise<Cursor | undefined> | Cursor | undefined;
  /** Stores a cursor in place of the one before, whole or not at all. */
  store(cursor: Cursor): Promise<void> | void;
}

/** A cursor that is forgotten when the process ends. */
export class MemoryCheckpoint implements Checkpoint {
  #cursor: Cursor | undefined;

  load(): Cursor | undefined {
    return this.#cursor;
  }

  store(cursor: Cursor): void {
    this.#cursor = cursor;
  }
}

/** A cursor in a file of JSON, which need not be there yet; its folder must. */
export class FileCheckpoint implements Checkpoint {
  constructor(readonly path: string) {}

  /** @throws CheckpointError when there is a file that is no cursor. */
  async load(): Promise<Cursor | undefined> {
    try {
      const stored: unknown = JSON.parse(await readFile(this.path, "utf8"));
      if (!isCursor(stored)) throw new Error("this is no cursor");
      return { epoch: stored.epoch, position: stored.position };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new CheckpointError(`the checkpoint ${this.path}: ${told(error)}`, { cause: error });
    }
  }

  /** Writes a file beside the old one and moves it into its place: a crash leaves the one or the other. */
  async store(cursor: Cursor): Promise<void> {
    const beside = `${this.path}.${process.pid}.new`;
    try {
      const file = await open(beside, "w");
      try {
        await file.writeFile(JSON.stringify({ epoch: cursor.epoch, position: cursor.position }));
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(beside, this.path);
    } catch (error) {
      throw new CheckpointError(`the checkpoint ${this.path}: ${told(error)}`, { cause: error });
    }
  }
}

/**
 * The acknowledged position of a durable subscription, kept by the server for the caller's organisation.
 *
 * A subscription with `durable` uses one by itself.
 */
export class ServerCheckpoint implements Checkpoint {
  constructor(private readonly acknowledge: (cursor: Cursor) => Promise<unknown>) {}

  /** None: the server knows by itself where the durable subscription goes on. */
  load(): undefined {
    return undefined;
  }

  async store(cursor: Cursor): Promise<void> {
    await this.acknowledge(cursor);
  }
}

function isCursor(value: unknown): value is Cursor {
  if (typeof value !== "object" || value === null || !("epoch" in value) || !("position" in value)) return false;
  return typeof value.epoch === "string" && Number.isSafeInteger(value.position);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
