/**
 * Root filesystems on disk: reading archives and programs, and the store of what was unpacked.
 *
 * `elf.ts` and `libraries.ts` tell what a program needs without running it; `tar_*.ts`, `compression.ts`, `tree.ts`
 * and `extract.ts` unpack archives that are not trusted; `store.ts` keeps the result; `builtin.ts` finds it again and
 * is all that `run` loads, directly. Nothing here knows what a container is.
 *
 * @module
 */
export { BUILTIN, builtinRootfs, isRootfsName, storedRootfs, treeOf } from "./builtin.ts";
export { bytesOf, byteString, cBytes, fromText, shown } from "./bytes.ts";
export { CompressionError, decompressed } from "./compression.ts";
export { Sha256, watched } from "./digest.ts";
export { type Elf, EM_OF_ARCH, isStatic, readElf, readElfFile } from "./elf.ts";
export { EXTRACT_LIMITS, type Extracted, type ExtractOptions, extractTar } from "./extract.ts";
export { librariesOf } from "./libraries.ts";
export {
  addRootfs,
  type Built,
  listRootfs,
  readMeta,
  removeRootfs,
  type RootfsMeta,
  StoreError,
} from "./store.ts";
export { openIn } from "./open_in.ts";
export { isOfTheKernel, type Status, statusOf } from "./status.ts";
export { components, TarError, type TarHeader } from "./tar_entry.ts";
export { readTar, type TarEntry } from "./tar_read.ts";
export { tarStream, type TarStreamOptions } from "./tar_stream.ts";
export { TAR_END, tarHeader, tarPadding } from "./tar_write.ts";
export { type Attributes, Tree } from "./tree.ts";
export { type Found, namesIn, readLink, reopen, walk, type WalkOptions } from "./walk.ts";
export { writeEntry } from "./write_entry.ts";
export { xattrsOf } from "./xattr.ts";
