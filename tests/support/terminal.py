"""Runs a command on a pseudo-terminal: terminal.py ROWS COLS COMMAND [ARG...].

What the terminal shows goes to standard output, byte for byte. Standard input carries one request a
line: "send HEX" types bytes, "size ROWS COLS" resizes, "hangup" closes the terminal. Exits as the
command does, 128 + n for signal n.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def obey(master, line):
    verb, *words = line.split()
    if verb == "send":
        os.write(master, bytes.fromhex(words[0]))
    elif verb == "size":
        resize(master, int(words[0]), int(words[1]))
    elif verb == "hangup":
        os.close(master)
        return False
    return True


def relay(master):
    pending, sources = b"", [master, 0]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if master in ready:
            try:
                shown = os.read(master, 65536)
            except OSError:  # EIO: the last holder of the other side is gone
                return
            if not shown:
                return
            os.write(1, shown)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                sources.remove(0)
            *lines, pending = (pending + read).split(b"\n")
            for line in lines:
                if not obey(master, line.decode()):
                    return


def main():
    rows, columns, *command = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    pid, master = pty.fork()
    if pid == 0:
        resize(0, int(rows), int(columns))
        os.execvp(command[0], command)
    relay(master)
    _, status = os.waitpid(pid, 0)
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


main()
