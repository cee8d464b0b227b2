"""nginx behind the contract of lb: its stream module, with one worker."""

import os
import re
import resource
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import front

# Bytes of the client that the backend's socket has taken, and the other way round. Where several backends were tried,
# what is said of backends is a list: `a, b`.
CONFIGURATION = """\
{load}
daemon off;
worker_processes 1;
{user}
pid nginx.pid;
error_log stderr;
events {{
    worker_connections {connections};
}}
stream {{
    log_format lb 'lb|$msec|$remote_addr|$remote_port|$status|$upstream_bytes_sent|$bytes_sent|$upstream_addr';
    upstream lb {{
{servers}
    }}
    server {{
        listen {listen};
        proxy_pass lb;
        proxy_connect_timeout {timeout_ms}ms;
        proxy_half_close on;
        proxy_timeout 1d;
        access_log /proc/self/fd/1 lb;
    }}
    server {{
        listen unix:door;
        return come-in;
    }}
}}
"""


def configuration(fronts, version):
    options = fronts.options
    module = re.search("--modules-path=([^ ]+)", version)
    module = module and f"{module[1]}/ngx_stream_module.so"
    # Whom a client could not reach is out for an interval, of whole seconds; there are no checks.
    out_s = -(-options.interval_ms // 1000)
    servers = (front.written(*backend) for backend in options.backends)
    return CONFIGURATION.format(
        load=f"load_module {module};" if module and os.path.exists(module) else "",
        user="user root;" if os.geteuid() == 0 else "",
        connections=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        servers="\n".join(f"        server {address} max_fails=1 fail_timeout={out_s}s;" for address in servers),
        listen=front.written(*options.socket.getsockname()[:2]),
        timeout_ms=options.timeout_ms,
    )


def translated(line):
    if not line.startswith(b"lb|"):
        return None
    _, seconds, ip, port, status, sent, received, backend = line.decode().split("|")
    # A session that stood has 200, whoever ended it and however.
    status = "ok" if status == "200" else "no-backend"
    sent, backend = sent.split(", ")[-1], backend.split(", ")[-1]
    return front.line(round(float(seconds) * 1000), front.written(ip, port), backend, sent, received, status)


def main():
    program = front.program("nginx")
    version = subprocess.run([program, "-V"], stderr=subprocess.PIPE, text=True).stderr
    fronts = front.Front(front.Options(sys.argv[1:]))
    with open("nginx.conf", "w") as file:
        file.write(configuration(fronts, version))
    # It takes sockets from here instead of opening those of its configuration, as a new version of it takes them from the
    # old one.
    inherited = "".join(f"{each.fileno()};" for each in (fronts.options.socket, fronts.door))
    command = [program, "-p", os.getcwd(), "-c", "nginx.conf", "-e", "stderr"]
    return fronts.serve(command, {"NGINX": inherited}, signal.SIGQUIT, translated)


if __name__ == "__main__":
    sys.exit(main())
