"""What stands before a balancer that has a configuration instead of this command line.

It reads the options, opens the listening socket and the log, starts the program with the socket, and makes a line of the
contract of each line that the program logs. Bytes of connections never pass through here.
"""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

OPTIONS = ("--listen", "--backend", "--health-interval", "--connect-timeout", "--log")
MS = {"ms": 1, "s": 1000, "m": 60_000}
# As many lines as come before somebody reads them: what finds no place in the pipe is thrown away by HAProxy.
PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031
# Where packages put what only the system is meant to start.
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


def refuse(sentence):
    print(sentence, file=sys.stderr)
    sys.exit(2)


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":" + SYSTEM_FOLDERS)
    return found or refuse(f"there is no {name} on this machine")


def duration_ms(option, text):
    match = re.fullmatch("([0-9]+)(ms|s|m)", text)
    value = int(match[1]) * MS[match[2]] if match else 0
    return value if 0 < value <= 60 * MS["m"] else refuse(f"{option}: `{text}` is no duration")


def address(option, text, least_port):
    """An IP and a port, of what may be a name."""
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (host and colon and re.fullmatch("[0-9]{1,5}", port) and least_port <= int(port) < 65536):
        refuse(f"{option}: `{text}` is no address: IP:PORT or name:PORT")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        refuse(f"{option}: {text} cannot be resolved: {error}")
    # IPv4 where there is both: `localhost` is where most listen.
    return min(found, key=lambda each: each[0] != socket.AF_INET)[4][:2]


def written(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


class Options:
    """The command line: backends as they were resolved, times in milliseconds, the listening socket, the log."""

    def __init__(self, words):
        given = {option: [] for option in OPTIONS}
        words = iter(words)
        for word in words:
            if word not in given:
                refuse(f"unknown option {word}")
            value = next(words, None)
            if value is None:
                refuse(f"{word} needs a value")
            given[word].append(value)
        for option in ("--listen", "--backend"):
            if not given[option]:
                refuse(f"{option} is missing")

        def last(option, default):
            return given[option][-1] if given[option] else default

        self.interval_ms = duration_ms("--health-interval", last("--health-interval", "10s"))
        self.timeout_ms = duration_ms("--connect-timeout", last("--connect-timeout", "2s"))
        self.backends = []
        for text in given["--backend"]:
            backend = address("--backend", text, 1)
            if backend in self.backends:
                refuse(f"--backend: {text} is given twice")
            self.backends.append(backend)
        self.socket = listening(last("--listen", ""))
        self.log = opened(last("--log", None))


def listening(text):
    ip, port = address("--listen", text, 0)
    try:
        listener = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ip, port))
        listener.listen(4096)
    except OSError as error:
        refuse(f"cannot listen on {text}: {error}")
    return listener


def opened(file):
    if file is None:
        return sys.stdout.fileno()
    try:
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError as error:
        refuse(f"cannot open the log {file}: {error}")


def line(end_ms, client, backend, sent, received, status):
    """A line of the contract; the end in milliseconds since 1970."""
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(end_ms // 1000))
    if status == "no-backend":
        backend, sent, received = "-", 0, 0
    return f"{when}.{end_ms % 1000:03}Z client={client} backend={backend} sent={sent} received={received} status={status}"


class Front:
    """A folder of its own, which is the current one, and two sockets that the program inherits: where clients connect to,
    and `door`, a unix socket, which has to answer whoever knocks: so it is known when the program serves."""

    KNOCK = b"show version\n"

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)
        self.door = socket.socket(socket.AF_UNIX)
        # A short name: such names may have 107 bytes.
        self.door.bind("door")
        self.door.listen()

    def serve(self, command, environment, end_politely, translated):
        """Runs the program to its end, with a pipe as its stdout, of whose lines `translated` makes those of the log,
        or nothing."""
        where = written(*self.options.socket.getsockname()[:2])
        reader, writer = os.pipe()
        try:
            fcntl.fcntl(writer, F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass
        sockets = [self.options.socket, self.door]
        inherited = [each.fileno() for each in sockets]
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=writer, pass_fds=inherited, env={**os.environ, **environment}
        )
        signal.signal(signal.SIGTERM, lambda *_: child.send_signal(end_politely))
        os.close(writer)
        with socket.socket(socket.AF_UNIX) as guest:
            guest.connect("door")
            # With our own copies closed, the end of the program is an end for the guest as well.
            for each in sockets:
                each.close()
            if is_let_in(guest, self.KNOCK):
                os.write(sys.stdout.fileno(), f"listening on {where}\n".encode())
        rest = b""
        while more := os.read(reader, 65536):
            *lines, rest = (rest + more).split(b"\n")
            for line in filter(None, map(translated, lines)):
                os.write(self.options.log, line.encode() + b"\n")
        status = child.wait()
        # With another current folder, or it could not be removed everywhere.
        os.chdir("/")
        self.folder.cleanup()
        return status


def is_let_in(guest, words):
    try:
        guest.sendall(words)
        return guest.recv(1) != b""
    except OSError:
        return False
