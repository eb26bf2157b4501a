/**
 * Named volumes: directories that outlive containers, `<data root>/volumes/NAME`.
 *
 *     NAME/volume.json   what is known of it
 *     NAME/_data         its files: what containers mount
 *     NAME/lock          held while it is removed or filled; flock(2)
 *
 * A volume is made in a directory beside its place and renamed into it, and renamed away before it is
 * removed: it is there whole or not at all. Who uses a volume is told by the caller; nothing here
 * knows what a container is.
 *
 * @see docker's "Volumes"; flock(2), renameat2(2)
 * @module
 */
export { type Filling, fillVolume, type IdShift } from "./fill.ts";
export { checkOptions, mountOf, type VolumeMount } from "./options.ts";
export {
  createVolume,
  dataOf,
  holdVolume,
  isAnonymous,
  isVolumeName,
  listVolumes,
  nameOfData,
  readVolume,
  removeVolume,
  type Volume,
  VolumeError,
  volumeSize,
} from "./store.ts";
