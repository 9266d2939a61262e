#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs commands in the virtual machine for `tools/sandbox vm exec` (vm-client.py is the other end).

Each virtio port carries one command at a time; there are several ports, so several commands may run at once.
A frame is a letter, a length (4 bytes, big endian) and that many bytes:

  client  H nonce    forget what was, answer with the same          agent  H nonce
          R json     run {argv, cwd, env, tty: null | [rows, columns]}     O, E bytes    its output, its errors
          I bytes    its input; none: end of input                         C json        its end: {code}
          S number   a signal for its process group
          W json     [rows, columns]

A client that goes away ends its command.
"""
import errno
import fcntl
import glob
import json
import os
import select
import selectors
import signal
import struct
import subprocess
import sys
import termios
import time

PREFIX = "org.warden.sandbox."
HEADER = struct.Struct(">cI")
FRAME_MAX_BYTES = 1 << 20
CHUNK_BYTES = 32768
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash", "LANG": "C.UTF-8",
}


class Disconnected(Exception):
    pass


class Port:
    """One virtio port: whole frames in and out."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.pending = b""

    def fill(self):
        try:
            data = os.read(self.fd, CHUNK_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.pending = b""
            raise Disconnected
        self.pending += data

    def next_frame(self):
        if len(self.pending) < HEADER.size:
            return None
        kind, length = HEADER.unpack_from(self.pending)
        if length > FRAME_MAX_BYTES:
            raise Disconnected
        end = HEADER.size + length
        if len(self.pending) < end:
            return None
        payload, self.pending = self.pending[HEADER.size:end], self.pending[end:]
        return kind, payload

    def send(self, kind, payload):
        data = HEADER.pack(kind, len(payload)) + payload
        poller = select.poll()
        poller.register(self.fd, select.POLLOUT)
        while data:
            try:
                data = data[os.write(self.fd, data):]
            except BlockingIOError:
                events = poller.poll(500)
                if events and events[0][1] & select.POLLHUP:
                    raise Disconnected
            except OSError as e:
                if e.errno in (errno.EPIPE, errno.ENODEV):
                    raise Disconnected from e
                raise


class Command:
    """A running command and its three streams."""

    def __init__(self, request):
        size = request.get("tty")
        self.tty = size is not None
        if self.tty:
            self.output, slave = os.openpty()
            set_size(self.output, size)
            stdio = (slave, slave, slave)
        else:
            stdio = (subprocess.PIPE,) * 3
        try:
            self.process = subprocess.Popen(
                request["argv"], cwd=request.get("cwd") or "/root", env={**ENVIRONMENT, **request.get("env", {})},
                stdin=stdio[0], stdout=stdio[1], stderr=stdio[2], start_new_session=True, restore_signals=True,
                preexec_fn=take_terminal if self.tty else None)
        except BaseException:
            if self.tty:
                os.close(self.output)
            raise
        finally:
            if self.tty:
                os.close(slave)
        if self.tty:
            self.input = os.dup(self.output)
            self.outputs = {self.output: b"O"}
        else:
            self.input = os.dup(self.process.stdin.fileno())
            self.process.stdin.close()
            self.outputs = {self.process.stdout.fileno(): b"O", self.process.stderr.fileno(): b"E"}
        for fd in (self.input, *self.outputs):
            os.set_blocking(fd, False)
        self.pidfd = os.pidfd_open(self.process.pid)
        self.queue = b""
        self.input_ended = False

    def feed(self, data):
        if data:
            self.queue += data
        else:
            self.input_ended = True
        self.flush()

    def flush(self):
        if self.input < 0:
            return
        try:
            while self.queue:
                self.queue = self.queue[os.write(self.input, self.queue):]
        except BlockingIOError:
            return
        except OSError:
            self.queue, self.input_ended = b"", True
        if self.input_ended and not self.tty:
            os.close(self.input)
            self.input = -1

    def read(self, fd):
        """Bytes; none at the end of the stream; None when there is nothing now."""
        try:
            return os.read(fd, CHUNK_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def abandon(self):
        self.signal(signal.SIGHUP)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.close()

    def close(self):
        for fd in (self.input, self.pidfd):
            if fd >= 0:
                os.close(fd)
        if self.tty:
            os.close(self.output)
        else:
            self.process.stdout.close()
            self.process.stderr.close()


def set_size(fd, size):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def start(port, payload):
    """A Command, or None after saying why not: with the codes that a shell uses."""
    request = json.loads(payload)
    try:
        return Command(request)
    except OSError as e:
        port.send(b"E", f"{request['argv'][0]}: {e.strerror}\n".encode())
        port.send(b"C", json.dumps({"code": 127 if e.errno == errno.ENOENT else 126}).encode())
        return None


def handle(port, command, kind, payload):
    """One frame; returns the command that runs now."""
    if kind == b"H":
        if command:
            command.abandon()
        port.send(b"H", payload)
        return None
    if kind == b"R":
        return start(port, payload) if command is None else command
    if command is None:
        return None
    if kind == b"I":
        command.feed(payload)
    elif kind == b"S":
        command.signal(int(payload))
    elif kind == b"W" and command.tty:
        set_size(command.output, json.loads(payload))
    return command


def finish(port, command):
    """What it still had to say (not what its children will), then its end."""
    for fd, kind in command.outputs.items():
        for _ in range(64):  # more than a pipe holds
            data = command.read(fd)
            if not data:
                break
            port.send(kind, data)
    code = command.process.wait()
    port.send(b"C", json.dumps({"code": code if code >= 0 else 128 - code}).encode())
    command.close()


def wait(port, command):
    """The descriptors that are ready now."""
    with selectors.PollSelector() as selector:
        if command is None or len(command.queue) < CHUNK_BYTES:
            selector.register(port.fd, selectors.EVENT_READ)
        if command:
            selector.register(command.pidfd, selectors.EVENT_READ)
            for fd in command.outputs:
                selector.register(fd, selectors.EVENT_READ)
            if command.queue and not command.tty:
                selector.register(command.input, selectors.EVENT_WRITE)
        timeout = 0.1 if command and command.queue and command.tty else None
        return {key.fd for key, _ in selector.select(timeout)}


def serve_client(port):
    command = None
    try:
        while True:
            ready = wait(port, command)
            if port.fd in ready:
                port.fill()
                while (frame := port.next_frame()) is not None:
                    command = handle(port, command, *frame)
            if command is None:
                continue
            command.flush()
            if command.pidfd in ready:
                ended, command = command, None
                finish(port, ended)
                continue
            for fd in ready & set(command.outputs):
                data = command.read(fd)
                if data:
                    port.send(command.outputs[fd], data)
                elif data == b"":
                    del command.outputs[fd]
    finally:
        if command:
            command.abandon()


def serve_port(path):
    port = Port(path)
    while True:
        try:
            serve_client(port)
        except Disconnected:
            # A port whose other end is closed cannot be waited for: it is always ready.
            time.sleep(0.2)


def main():
    """The ports appear one by one, in any order, some of them maybe late."""
    served = set()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for path in set(glob.glob(f"/dev/virtio-ports/{PREFIX}*")) - served:
            served.add(path)
            deadline = time.monotonic() + 20
            if os.fork() == 0:
                serve_port(path)
        time.sleep(0.1)
    if not served:
        sys.exit("There is no virtio port of this name.")
    os.wait()


if __name__ == "__main__":
    main()
