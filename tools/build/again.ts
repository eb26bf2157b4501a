/**
 * The whole program in place of one that has only some commands, from the beginning: what that one
 * does not find is here. In this process it would fill the small cache of the hot commands.
 */
import { addressOf, cString, syscall } from "../../ffi/mod.ts";

const self = Deno.env.get("MINICTR_SELF") ?? "";
const variables = Object.entries(Deno.env.toObject()).map(([name, value]) => `${name}=${value}`);
const words = [self, "--whole", ...Deno.args].map(cString), all = variables.map(cString);
syscall("execve", self, pointers(words), pointers(all));

/** An array of C strings, with a null pointer at its end. */
function pointers(strings: Uint8Array<ArrayBuffer>[]): Uint8Array {
  return new Uint8Array(new BigUint64Array([...strings.map(addressOf), 0n]).buffer);
}
