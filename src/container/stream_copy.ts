import { POLLIN, POLLOUT, trySyscall } from "../../ffi/mod.ts";
import { goto } from "../plan/calls.ts";
import {
  type Call,
  call,
  type On,
  place,
  type Room,
  room,
  slot,
  type Step,
  step,
} from "../plan/step.ts";
import { type Program, roomOf } from "../stage/mod.ts";

/** A stream that is copied from one descriptor to another. */
export interface Copy {
  from: number;
  to: number;
  /** Whether the container writes it: its end is waited for. */
  output: boolean;
  /** Closed when the input has ended or nobody reads the output, so that the container learns it. */
  close?: number;
  /** Sees what is copied before it is written; of one copy at most. */
  filter?: Filter;
}

/** Says what is to be written in place of some bytes: at most LONGEST_HELD more of them. */
export interface Filter {
  /** @returns what is written, and whether to leave off behind it */
  pass(bytes: Uint8Array): { rest: Uint8Array; leave: boolean };
}

/** Most bytes that a filter may hold back and give later. */
export const LONGEST_HELD = 64;

const BUFFER_SIZE = 4096; // Bytes; a pipe that is ready for output takes as many at once.
const REVENTS = 0xffff_0000_0000_0000n;

/** The steps of one copy; labels carry its number. */
export class Copier {
  readonly #buffer = room("buffer", BUFFER_SIZE + LONGEST_HELD);
  /** Bytes that wait to be written, and where they begin. */
  readonly #held = room("held", 8);
  readonly #start = room("start", 8);
  /** 1 while what has been read is to be filtered. */
  readonly #paused = room("paused", 8);

  constructor(
    readonly copy: Copy,
    readonly polled: Room,
    readonly outputs: Room,
    readonly index: number,
  ) {}

  #watch(fd: number, events: number): Call[] {
    return [
      call("store32", [place(this.polled, 8 * this.index), fd]),
      call("store32", [place(this.polled, 8 * this.index + 4), events]),
    ];
  }

  steps(): Step[] {
    const { from, to, filter } = this.copy;
    const entry = slot("entry"), ready = slot("ready"), got = slot("bytes read");
    const held = slot("bytes held"), start = slot("start"), wrote = slot("bytes written");
    const at = slot("address"), left = slot("bytes left"), moved = slot("new start");
    const done: On[] = [{ errno: "EAGAIN", goto: "next" }, { errno: "any", goto: ".over" }];
    return [
      step(`copy ${from} to ${to}`, [
        call("load64", [place(this.polled, 8 * this.index)], { to: entry }),
        call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "next" }] }),
        call("load64", [this.#held], { to: held, on: [{ value: 0, goto: ".read" }] }),
        goto(".write"),
        call("read", [from, this.#buffer, BUFFER_SIZE], {
          id: ".read",
          to: got,
          on: [{ value: 0, goto: ".over" }, ...done],
        }),
        call("store64", [this.#held, got]),
        call("store64", [this.#start, 0]),
        ...filter ? this.#pause() : [],
        ...this.#watch(to, POLLOUT),
        goto("next"),
        call("load64", [this.#start], { id: ".write", to: start }),
        call("add", [place(this.#buffer, 0), start], { to: at }),
        call("write", [to, at, held], { to: wrote, on: done }),
        call("add", [start, wrote], { to: moved }),
        call("store64", [this.#start, moved]),
        call("subtract", [held, wrote], { to: left }),
        call("store64", [this.#held, left]),
        call("load64", [this.#held], { on: [{ value: 0, goto: ".empty" }] }),
        goto("next"),
        ...withId(this.#watch(from, POLLIN), ".empty"),
        goto("next"),
        ...this.#over(),
      ]),
    ];
  }

  /** Leaves the program, and goes on behind when it is carried out again. */
  #pause(): Call[] {
    return [
      call("store64", [this.#paused, 1]),
      goto("leave"),
      call("store64", [this.#paused, 0], { id: "go on" }),
      call("load64", [this.#held], { on: [{ value: 0, goto: ".empty" }] }),
    ];
  }

  /** The end of the input, or nobody reads the output any more. */
  #over(): Call[] {
    const { output, close } = this.copy;
    const open = slot("outputs that were open"), fewer = slot("outputs that are open");
    return [
      ...withId(this.#watch(-1, 0), ".over"),
      call("store64", [this.#held, 0]),
      ...close === undefined ? [] : [call("close", [close])],
      ...output
        ? [
          call("load64", [this.outputs], { to: open }),
          call("subtract", [open, 1], { to: fewer }),
          call("store64", [this.outputs, fewer]),
        ]
        : [],
    ];
  }

  /** Goes to a label while bytes are held back. */
  pending(label: string): Call[] {
    const next = `.free ${this.index}`;
    return [
      call("load64", [this.#held], { on: [{ value: 0, goto: next }] }),
      goto(label),
      call("add", [0, 0], { id: next }),
    ];
  }

  /** Where a program goes on that has been left by a filtered copy. */
  resume(): Call[] {
    return this.copy.filter
      ? [call("load64", [this.#paused], { on: [{ value: 1, goto: "go on" }] })]
      : [];
  }

  /**
   * Filters what the program was left with.
   *
   * @returns what is to be done: carry the program out again, leave it for good, or neither, since it has
   * come to its end
   */
  filter(program: Program): "go on" | "leave" | "ended" {
    const { filter, to } = this.copy;
    if (!filter || roomOf(program, this.#paused)[0] !== 1) return "ended";
    const { buffer: memory, byteOffset } = roomOf(program, this.#held);
    const held = new DataView(memory, byteOffset, 8);
    const buffer = roomOf(program, this.#buffer);
    const { rest, leave } = filter.pass(buffer.slice(0, held.getUint32(0, true)));
    if (leave) {
      trySyscall("write", to, rest, rest.length);
      return "leave";
    }
    buffer.set(rest);
    held.setUint32(0, rest.length, true);
    return "go on";
  }
}

/** Calls of which the first is a place to go to. */
export function withId([first, ...rest]: Call[], id: string): Call[] {
  return first ? [{ ...first, id }, ...rest] : [];
}
