/** What the parts of a supervisor share: its memory, and names for the entries that it polls. */
import { type On, type Room, room, type Slot, slot } from "./step.ts";

/** `struct pollfd` of the echo, the line to minictr, the timer; 0 is the pidfd, 1 and 2 the outputs. */
export const ECHO = 3, LINE = 4, TIMER = 5;
/** How many there are. */
export const POLLED = 6;
/** The bits of `revents` in a pollfd as 8 bytes. */
export const REVENTS = 0xffff_0000_0000_0000n;
/** An errno of any kind is passed over. */
export const IGNORED: On[] = [{ errno: "any", goto: "next" }];
/** Of an entry that is not polled: its descriptor, -1, as load32 reads it. */
export const NOT_POLLED = 0xffff_ffff;

/** A supervisor's memory. */
export interface Rooms {
  polled: Room;
  /** 1 when the container has ended. */
  ended: Room;
  /** 1 when minictr has said that all is written down, or is gone. */
  trusted: Room;
  /** How many of its outputs are open. */
  open: Room;
  /** `int[2]`: their descriptors, or -1. */
  sources: Room;
  /** `u64[2]`: whether each is echoed. */
  echoing: Room;
  /** What has been read and not yet echoed: how many bytes, and the address of the first. */
  held: Room;
  start: Room;
  /** The stream that is to be looked at first: 2 if it is the second's turn. */
  turn: Room;
  /** Bytes in the log. */
  size: Room;
  /** The frame that is being made: one serves both streams. */
  frame: Frame;
}

/** Addresses in a frame, which lies in memory of its own: untouched, it takes none. */
export interface Frame {
  at: Slot;
  length: Slot;
  stream: Slot;
  data: Slot;
}

/** A supervisor's memory. */
export function supervisorRooms(): Rooms {
  return {
    polled: room("struct pollfd[6]", 8 * POLLED),
    ended: room("ended", 8),
    trusted: room("trusted", 8),
    open: room("open outputs", 8),
    sources: room("outputs", 8),
    echoing: room("echoes", 16),
    held: room("bytes held", 8),
    start: room("their address", 8),
    turn: room("whose turn it is", 8),
    size: room("size of the log", 8),
    frame: {
      at: slot("frame"),
      length: slot("frame's length"),
      stream: slot("frame's stream"),
      data: slot("frame's data"),
    },
  };
}
