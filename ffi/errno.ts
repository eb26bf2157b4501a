/**
 * Error numbers: their names and what they say.
 *
 * Source: errno(3), `include/uapi/asm-generic/errno-base.h` and `errno.h`; x86-64 and aarch64 share
 * them. One string, split when the first error is named, so that a run without errors pays nothing.
 */
const TABLE = `1 EPERM operation not permitted
2 ENOENT no such file or directory
3 ESRCH no such process
4 EINTR interrupted system call
5 EIO input/output error
6 ENXIO no such device or address
7 E2BIG argument list too long
8 ENOEXEC exec format error
9 EBADF bad file descriptor
10 ECHILD no child processes
11 EAGAIN resource temporarily unavailable
12 ENOMEM cannot allocate memory
13 EACCES permission denied
14 EFAULT bad address
15 ENOTBLK block device required
16 EBUSY device or resource busy
17 EEXIST file exists
18 EXDEV invalid cross-device link
19 ENODEV no such device
20 ENOTDIR not a directory
21 EISDIR is a directory
22 EINVAL invalid argument
23 ENFILE too many open files in system
24 EMFILE too many open files
25 ENOTTY inappropriate ioctl for device
26 ETXTBSY text file busy
27 EFBIG file too large
28 ENOSPC no space left on device
29 ESPIPE illegal seek
30 EROFS read-only file system
31 EMLINK too many links
32 EPIPE broken pipe
33 EDOM numerical argument out of domain
34 ERANGE numerical result out of range
35 EDEADLK resource deadlock avoided
36 ENAMETOOLONG file name too long
38 ENOSYS function not implemented
39 ENOTEMPTY directory not empty
40 ELOOP too many levels of symbolic links
61 ENODATA no data available
62 ETIME timer expired
71 EPROTO protocol error
75 EOVERFLOW value too large for defined data type
80 ELIBBAD accessing a corrupted shared library
84 EILSEQ invalid or incomplete multibyte or wide character
87 EUSERS too many users
88 ENOTSOCK socket operation on non-socket
90 EMSGSIZE message too long
93 EPROTONOSUPPORT protocol not supported
94 ESOCKTNOSUPPORT socket type not supported
95 EOPNOTSUPP operation not supported
97 EAFNOSUPPORT address family not supported by protocol
98 EADDRINUSE address already in use
99 EADDRNOTAVAIL cannot assign requested address
100 ENETDOWN network is down
101 ENETUNREACH network is unreachable
104 ECONNRESET connection reset by peer
105 ENOBUFS no buffer space available
107 ENOTCONN transport endpoint is not connected
110 ETIMEDOUT connection timed out
111 ECONNREFUSED connection refused
113 EHOSTUNREACH no route to host
116 ESTALE stale file handle
122 EDQUOT disk quota exceeded
126 ENOKEY required key not available`;

/** The numbers of errors that plans expect, by name. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOTTY: 25,
  EPIPE: 32,
  EIO: 5,
  ENOSYS: 38,
  ELOOP: 40,
  EOPNOTSUPP: 95,
} as const;

let names: Map<number, [name: string, text: string]> | undefined;

function table(): Map<number, [name: string, text: string]> {
  names ??= new Map(
    TABLE.split("\n").map((line) => {
      const [number, name, ...text] = line.split(" ");
      return [Number(number), [name ?? "", text.join(" ")]];
    }),
  );
  return names;
}

/** The name of a positive error number (`2` → `ENOENT`); `errno 200` where it has none here. */
export function errnoName(errno: number): string {
  return table().get(errno)?.[0] ?? `errno ${errno}`;
}

/** What an error number says, as strerror(3) but in lower case. */
export function errnoText(errno: number): string {
  return table().get(errno)?.[1] ?? `error ${errno}`;
}

/** The kernel refused a call. */
export class SyscallError extends Error {
  override name = "SyscallError";
  /** As in the header: `ENOENT`. */
  readonly code: string;

  /**
   * @param syscall its name, as in the man page
   * @param errno positive error number
   */
  constructor(readonly syscall: string, readonly errno: number, options?: ErrorOptions) {
    super(`${syscall}: ${errnoText(errno)} (${errnoName(errno)})`, options);
    this.code = errnoName(errno);
  }
}
