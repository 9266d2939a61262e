#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vm-client.py [--timeout S] [--tty] FOLDER COMMAND…: runs it in the virtual machine whose ports are FOLDER/port*.

The frames are described in vm-agent.py. Exit codes: the command's own; 124 when the time is over; 125 for ours.
"""
import argparse
import fcntl
import glob
import json
import os
import selectors
import signal
import socket
import struct
import sys
import termios
import time
import tty

HEADER = struct.Struct(">cI")
CHUNK_BYTES = 32768
HELLO_SECONDS = 3


class Failure(Exception):
    pass


class Timeout(Exception):
    pass


def remaining(deadline):
    left = deadline - time.monotonic()
    if left <= 0:
        raise Timeout
    return left


def take_port(folder, deadline):
    """The first port that nobody uses: the socket's path and the lock that keeps it ours."""
    while True:
        for path in sorted(glob.glob(f"{folder}/port*.sock")):
            lock = os.open(path.replace(".sock", ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return path, lock
            except BlockingIOError:
                os.close(lock)
        if not os.path.isdir(folder):
            raise Failure("the virtual machine has ended")
        remaining(deadline)
        time.sleep(0.1)


def say_hello(connection, deadline):
    """True when the agent answered; what an earlier client left in the stream is skipped."""
    nonce = os.urandom(16)
    frame = HEADER.pack(b"H", len(nonce)) + nonce
    connection.settimeout(min(HELLO_SECONDS, remaining(deadline)))
    seen = b""
    try:
        connection.sendall(frame)
        while frame not in seen:
            data = connection.recv(CHUNK_BYTES)
            if not data:
                return False
            seen = seen[-len(frame):] + data
    except (TimeoutError, socket.timeout, ConnectionError):
        return False
    return True


def connect(path, folder, deadline):
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(path)
            if say_hello(connection, deadline):
                connection.setblocking(False)
                return connection
        except OSError:
            pass
        connection.close()
        if not os.path.isdir(folder):
            raise Failure("the virtual machine has ended")
        remaining(deadline)
        time.sleep(0.5)  # the agent must see that we were away


class Run:
    """One command from request to exit code."""

    def __init__(self, connection, argv, use_tty, deadline):
        self.connection, self.deadline, self.use_tty = connection, deadline, use_tty
        self.out, self.pending = b"", b""
        self.input_open = True
        self.code = None
        request = {"argv": argv, "env": {"TERM": os.environ.get("TERM", "dumb")}, "tty": self.size() if use_tty else None}
        self.queue(b"R", json.dumps(request).encode())
        self.wake_read, self.wake_write = os.pipe()
        for fd in (self.wake_read, self.wake_write):
            os.set_blocking(fd, False)

    def size(self):
        return list(struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))[:2])

    def queue(self, kind, payload):
        self.out += HEADER.pack(kind, len(payload)) + payload

    def on_signal(self, number, _frame):
        if number == signal.SIGWINCH:
            self.queue(b"W", json.dumps(self.size()).encode())
        else:
            self.queue(b"S", str(number).encode())
        try:
            os.write(self.wake_write, b".")
        except BlockingIOError:
            pass

    def wait(self):
        with selectors.DefaultSelector() as selector:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0)
            selector.register(self.connection, events)
            selector.register(self.wake_read, selectors.EVENT_READ)
            if self.input_open and not self.out:
                try:
                    selector.register(0, selectors.EVENT_READ)
                except PermissionError:  # a plain file is always ready, and epoll does not take it
                    self.read_input()
                    selector.modify(self.connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
                except (OSError, ValueError):
                    self.end_input()
            return {key.fd: mask for key, mask in selector.select(remaining(self.deadline))}

    def end_input(self):
        self.input_open = False
        self.queue(b"I", b"")

    def read_input(self):
        try:
            data = os.read(0, CHUNK_BYTES)
        except OSError:
            data = b""
        if data:
            self.queue(b"I", data)
        else:
            self.end_input()

    def flush(self):
        try:
            self.out = self.out[self.connection.send(self.out):]
        except BlockingIOError:
            pass

    def receive(self):
        data = self.connection.recv(CHUNK_BYTES)
        if not data:
            raise Failure("the virtual machine has ended")
        self.pending += data
        while len(self.pending) >= HEADER.size:
            kind, length = HEADER.unpack_from(self.pending)
            end = HEADER.size + length
            if len(self.pending) < end:
                break
            self.handle(kind, self.pending[HEADER.size:end])
            self.pending = self.pending[end:]

    def handle(self, kind, payload):
        if kind == b"C":
            self.code = json.loads(payload)["code"]
            return
        fd = 1 if kind == b"O" else 2
        while payload:
            payload = payload[os.write(fd, payload):]

    def loop(self):
        while self.code is None:
            ready = self.wait()
            if self.wake_read in ready:
                os.read(self.wake_read, 64)
            if 0 in ready:
                self.read_input()
            if self.out:
                self.flush()
            if ready.get(self.connection.fileno(), 0) & selectors.EVENT_READ:
                self.receive()
        return self.code


def run(options):
    deadline = time.monotonic() + options.timeout
    path, _lock = take_port(options.folder, deadline)
    connection = connect(path, options.folder, deadline)
    command = Run(connection, options.command, options.tty, deadline)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, command.on_signal)
    if not options.tty:
        return command.loop()
    signal.signal(signal.SIGWINCH, command.on_signal)
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        return command.loop()
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, default=1800)
    parser.add_argument("--tty", action="store_true")
    parser.add_argument("folder")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        return run(options)
    except Timeout:
        print(f"tools/sandbox: error: not done within {options.timeout:g} s", file=sys.stderr)
        return 124
    except BrokenPipeError:
        return 141  # who read our output is gone: as if by SIGPIPE
    except (Failure, ConnectionError) as e:
        print(f"tools/sandbox: error: {e}", file=sys.stderr)
        return 125


if __name__ == "__main__":
    sys.exit(main())
