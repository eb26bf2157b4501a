"""Does what tests of networks need in several network namespaces, as one process: a line of JSON in,
[verb, ...arguments], a line of JSON out. A socket stays in the namespace that it was made in."""
import ctypes, fcntl, json, os, signal, socket, struct, subprocess, sys, threading

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
ETH_P_ALL = 3
own = os.open("/proc/self/ns/net", os.O_RDONLY)
watched = []


def check(result):
  if result != 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class inside:
  """The namespace of a process, for this thread; 0 is the agent's own."""
  def __init__(self, pid): self.pid = pid
  def __enter__(self):
    fd = os.open("/proc/%d/ns/net" % (self.pid or os.getpid()), os.O_RDONLY)
    check(libc.setns(fd, CLONE_NEWNET))
    os.close(fd)
  def __exit__(self, *_): check(libc.setns(own, CLONE_NEWNET))


def namespace():
  """A process that holds a new namespace, with its loopback up."""
  done, ready = os.pipe()
  pid = os.fork()
  if pid == 0:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    check(libc.unshare(CLONE_NEWNET))
    with socket.socket() as s:
      request = struct.pack("16sH22x", b"lo", 1)  # IFF_UP
      fcntl.ioctl(s, 0x8914, request)  # SIOCSIFFLAGS
    os.write(ready, b"1")
    while True: signal.pause()
  os.read(done, 1)
  os.close(done)
  os.close(ready)
  return pid


def sh(pid, line):
  with inside(pid):
    ended = subprocess.run(["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True)
  if ended.returncode == 0: return ended.stdout
  return "%s%sstatus %d\n" % (ended.stdout, ended.stderr, ended.returncode)


def family(address): return socket.AF_INET6 if ":" in address else socket.AF_INET
def style(kind): return socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM


def serve(pid, kind, address, port):
  """Answers each client with its address, as the server sees it."""
  with inside(pid): s = socket.socket(family(address), style(kind))
  s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
  s.bind((address, port))
  if kind == "tcp": s.listen(64)
  def answer():
    while True:
      if kind == "udp":
        _, peer = s.recvfrom(100)
        s.sendto(("%s at %d" % (peer[0], port)).encode(), peer)
      else:
        c, peer = s.accept()
        c.sendall(("%s at %d" % (peer[0], port)).encode())
        c.close()
  threading.Thread(target=answer, daemon=True).start()


def ask(pid, kind, address, port, timeout):
  with inside(pid): s = socket.socket(family(address), style(kind))
  s.settimeout(timeout)
  try:
    s.connect((address, port))
    if kind == "udp": s.send(b"hello")
    return s.recv(100).decode()
  except OSError as e: return type(e).__name__
  finally: s.close()


def send_frame(pid, interface, frame):
  """As a process with CAP_NET_RAW may."""
  with inside(pid): s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
  s.bind((interface, ETH_P_ALL))
  s.send(bytes.fromhex(frame))
  s.close()


def watch(pid, interface):
  """Collects what comes in by an interface, from now on."""
  with inside(pid): s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
  s.bind((interface, ETH_P_ALL))
  s.setblocking(False)
  watched.append(s)
  return len(watched) - 1


def seen(number):
  frames = []
  try:
    while True: frames.append(watched[number].recv(2000).hex())
  except BlockingIOError: return frames


verbs = {f.__name__: f for f in [namespace, sh, serve, ask, send_frame, watch, seen]}
for line in sys.stdin:
  verb, *given = json.loads(line)
  try: answer = {"result": verbs[verb](*given)}
  except Exception as e: answer = {"error": "%s: %s" % (type(e).__name__, e)}
  print(json.dumps(answer), flush=True)
