"""HAProxy behind the contract of lb: one thread, in TCP mode, with its own checks."""

import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import front

# %ts has two letters: who ended the session, or - for an ordinary end; and in which state it was, of which C is while
# connecting. Q while waiting for a place, and R before anything.
STATUSES = {"-": "ok", "C": "client-error", "c": "client-error", "S": "backend-error", "s": "backend-error"}

CONFIGURATION = """\
global
    nbthread 1
    log stdout format raw local0
    stats socket fd@{door}
defaults
    mode tcp
    log global
    log-format "lb %Ts %ms %Tt %ci %cp %s %U %B %ts"
    timeout connect {timeout_ms}ms
    timeout client 1d
    timeout server 1d
    # One attempt for each backend, each at another one.
    retries {retries}
    option redispatch 1
frontend lb
    bind fd@{listener}
    default_backend lb
backend lb
    # `roundrobin` puts a server that is back wherever its weight falls due, and not at its place in the order.
    balance static-rr
    # Its ordinary check resets the connection in the middle of the handshake, so that the backend never accepts it.
    option tcp-check
    tcp-check connect linger
    default-server check inter {interval_ms}ms fall 2 rise 2
{servers}
"""


def configuration(fronts):
    options = fronts.options
    named = enumerate(front.written(*backend) for backend in options.backends)
    return CONFIGURATION.format(
        door=fronts.door.fileno(),
        listener=options.socket.fileno(),
        timeout_ms=options.timeout_ms,
        interval_ms=options.interval_ms,
        retries=len(options.backends) - 1,
        servers="\n".join(f"    server {number} {address}" for number, address in named),
    )


def translated(line, backends):
    """A line of our format as the contract has it; nothing of what HAProxy says of its servers."""
    if not line.startswith(b"lb "):
        return None
    _, seconds, ms, took_ms, ip, port, server, sent, received, ended = line.decode().split()
    # The time in the line is that of the accept.
    end_ms = int(seconds) * 1000 + int(ms) + int(took_ms)
    client = front.written(ip, port)
    status = STATUSES.get(ended[0], "no-backend")
    if server == "<NOSRV>" or ended in ("SC", "sC", "SQ", "sQ"):
        status = "no-backend"
    backend = "-" if status == "no-backend" else front.written(*backends[int(server)])
    return front.line(end_ms, client, backend, sent, received, status)


def main():
    program = front.program("haproxy")
    fronts = front.Front(front.Options(sys.argv[1:]))
    with open("haproxy.cfg", "w") as file:
        file.write(configuration(fronts))
    backends = fronts.options.backends
    # -db: neither in the background nor with a process that watches this one.
    command = [program, "-db", "-f", "haproxy.cfg"]
    return fronts.serve(command, {}, signal.SIGUSR1, lambda line: translated(line, backends))


if __name__ == "__main__":
    sys.exit(main())
