/** Nothing out of order, nothing twice, nothing of another log: checked for everything that comes. */
import { EpochChanged, OutOfOrder } from "./errors.js";

/** What may come next. Positions rise; where one is missing, the filter or the access rules held an event back. */
export class Order {
  epoch = "";
  /** Everything up to here has come; undefined before the server has said where it begins. */
  last: number | undefined;
  #sent: number | undefined;

  /** A new stretch: the server has to say where it begins. */
  again(): void {
    this.#sent = undefined;
  }

  /**
   * The server said where the stretch begins, and in which log.
   *
   * A durable subscription goes on after what was acknowledged, which may be before what has come: that comes again. Any
   * other begins where we asked it to.
   */
  begin(after: number, epoch: string): void {
    if (this.epoch !== "" && epoch !== this.epoch) throw new EpochChanged(this.epoch, epoch);
    if (this.last !== undefined && after > this.last) throw new OutOfOrder(this.last, after);
    this.epoch = epoch;
    this.#sent = after;
    this.last ??= after;
  }

  /** An event came; whether it is new. */
  event(position: number): boolean {
    return this.#advance(position, 1);
  }

  /** The server said that everything up to a position was sent; whether all that had come before is in it. */
  mark(position: number): boolean {
    return this.#advance(position, 0);
  }

  #advance(position: number, step: 0 | 1): boolean {
    const { last } = this;
    const sent = this.#sent;
    if (last === undefined || sent === undefined || position < sent + step) throw new OutOfOrder(sent ?? 0, position);
    this.#sent = position;
    if (position < last + step) return false;
    this.last = position;
    return true;
  }
}
