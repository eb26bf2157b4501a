/**
 * What every root filesystem has besides its programs: directories with their modes, and the few files of /etc.
 *
 * @see hier(7), passwd(5), group(5), shadow(5), os-release(5)
 * @module
 */

/** Directories with their modes; hier(7). Those that the runtime mounts on are empty. */
const DIRECTORIES: readonly [path: string, mode: number][] = [
  ["dev", 0o755],
  ["etc", 0o755],
  ["home", 0o755],
  ["mnt", 0o755],
  ["opt", 0o755],
  ["proc", 0o555],
  ["root", 0o700],
  ["run", 0o755],
  ["srv", 0o755],
  ["sys", 0o555],
  ["tmp", 0o1777],
  ["usr", 0o755],
  ["var", 0o755],
  ["var/cache", 0o755],
  ["var/lib", 0o755],
  ["var/log", 0o755],
  ["var/spool", 0o755],
  ["var/tmp", 0o1777],
];

/** A user of the root filesystem and the group of the same name. */
interface Account {
  name: string;
  id: number;
  home: string;
  shell: string;
}

/** The numbers are Debian's. */
const ACCOUNTS: readonly Account[] = [
  { name: "root", id: 0, home: "/root", shell: "/bin/sh" },
  { name: "daemon", id: 1, home: "/", shell: "/bin/false" },
  { name: "bin", id: 2, home: "/bin", shell: "/bin/false" },
  { name: "sys", id: 3, home: "/dev", shell: "/bin/false" },
  { name: "mail", id: 8, home: "/var/mail", shell: "/bin/false" },
  { name: "www-data", id: 33, home: "/var/www", shell: "/bin/false" },
  { name: "nobody", id: 65534, home: "/", shell: "/bin/false" },
];

/** Groups without a user: devpts gives its terminals to `tty`, disks belong to `disk`. */
const GROUPS: readonly [name: string, id: number][] = [
  ["adm", 4],
  ["tty", 5],
  ["disk", 6],
  ["wheel", 10],
  ["utmp", 43],
  ["video", 44],
  ["users", 100],
  ["nogroup", 65533],
];

/** Who the root filesystem says it is; os-release(5). */
export interface Release {
  id: string;
  name: string;
  version: string;
}

/** Makes the directories that are not there yet, and gives all their modes. */
export function makeDirectories(tree: string): void {
  for (const [path, mode] of DIRECTORIES) {
    Deno.mkdirSync(`${tree}/${path}`, { recursive: true });
    Deno.chmodSync(`${tree}/${path}`, mode); // Whatever the umask is.
  }
}

/** Writes /etc/passwd and its like into a tree whose /etc nobody else has written to. */
export function writeEtc(tree: string, release: Release): void {
  const files: [name: string, mode: number, text: string][] = [
    ["passwd", 0o644, passwd()],
    ["group", 0o644, group()],
    // No password is ever right: `*` (shadow(5)).
    ["shadow", 0o640, ACCOUNTS.map(({ name }) => `${name}:*:19000:0:99999:7:::\n`).join("")],
    // glibc's own functions, static ones too, would otherwise look for modules that are not there.
    ["nsswitch.conf", 0o644, "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"],
    ["os-release", 0o644, osRelease(release)],
    ["profile", 0o644, PROFILE],
    ["shells", 0o644, "/bin/sh\n"],
    // The runtime mounts its own over these three.
    ["hosts", 0o644, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n"],
    ["hostname", 0o644, "localhost\n"],
    ["resolv.conf", 0o644, ""],
  ];
  for (const [name, mode, text] of files) {
    const path = `${tree}/etc/${name}`;
    Deno.writeTextFileSync(path, text, { createNew: true });
    Deno.chmodSync(path, mode);
  }
  Deno.symlinkSync("/proc/mounts", `${tree}/etc/mtab`);
}

const PROFILE = `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PS1='\\u@\\h:\\w\\$ '
umask 022
`;

function passwd(): string {
  return ACCOUNTS.map(({ name, id, home, shell }) =>
    `${name}:x:${id}:${id}:${name}:${home}:${shell}\n`
  ).join("");
}

function group(): string {
  const groups = [...GROUPS, ...ACCOUNTS.map(({ name, id }): [string, number] => [name, id])];
  return groups.sort(([, a], [, b]) => a - b).map(([name, id]) => `${name}:x:${id}:\n`).join("");
}

function osRelease({ id, name, version }: Release): string {
  return `ID=${id}\nNAME="${name}"\nPRETTY_NAME="${name} ${version}"\nVERSION_ID="${version}"\n`;
}
