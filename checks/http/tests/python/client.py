"""An HTTP client as most begin: GET, redirects and TLS over a socket, with the whole response read to its end.

It knows no chunked coding and no POST, and believes that the server closes the connection when it is done.
"""

import json
import socket
import ssl
import sys
from urllib.parse import urljoin, urlsplit

MAX_HOPS = 5
TIMEOUT_SECONDS = 2


class Failure(Exception):
    """A kind, and what happened."""


def split(url):
    """Scheme, host, port and target of a URL that can be used."""
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise Failure("bad-url", "a space or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Failure("bad-url", str(error))
    if parts.scheme not in ("http", "https"):
        raise Failure("unsupported" if parts.scheme else "bad-url", f"the scheme {parts.scheme!r}")
    netloc = parts.netloc.rpartition("@")[2]
    digits = netloc.rpartition("]")[2].partition(":")[2]
    if not parts.hostname or not url.lower().startswith(parts.scheme + "://") or port == 0:
        raise Failure("bad-url", "no host or no port that there is")
    if digits and not (digits.isascii() and digits.isdigit()):
        raise Failure("bad-url", "a port that is no number")
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}[parts.scheme], target


def exchange(url, ca):
    """Asks for the URL, and gives all that comes until the server closes."""
    scheme, host, port, target = split(url)
    name = f"[{host}]" if ":" in host else host
    if port != {"http": 80, "https": 443}[scheme]:
        name += f":{port}"
    target = "".join(letter if ord(letter) < 128 else "".join(f"%{byte:02X}" for byte in letter.encode()) for letter in target)
    request = f"GET {target} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    try:
        connection = socket.create_connection((host, port), timeout=TIMEOUT_SECONDS)
    except socket.gaierror as error:
        raise Failure("dns", str(error))
    except UnicodeError as error:
        raise Failure("dns", str(error))
    except OSError as error:
        raise Failure("connect", str(error))
    if scheme == "https":
        context = ssl.create_default_context(cafile=ca)
        try:
            connection = context.wrap_socket(connection, server_hostname=host)
        except OSError as error:
            raise Failure("tls", str(error))
    try:
        connection.sendall(request.encode("ascii"))
        response = b""
        while piece := connection.recv(65536):
            response += piece
        return response
    except ssl.SSLError as error:
        raise Failure("truncated", str(error))
    except TimeoutError as error:
        raise Failure("timeout", str(error))
    except OSError as error:
        raise Failure("io", str(error))


def parse(response):
    """Status, fields and body."""
    head, end, body = response.partition(b"\r\n\r\n")
    if not end:
        raise Failure("truncated", "no end of the head")
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if version not in ("HTTP/1.0", "HTTP/1.1") or not (status.isascii() and status.isdigit() and len(status) == 3):
        raise Failure("bad-response", lines[0])
    if rest[3:4] not in ("", " "):
        raise Failure("bad-response", lines[0])
    headers = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and headers:
            headers[-1][1] += " " + line.strip(" \t")
            continue
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or " " in name or "\t" in name or "\0" in line:
            raise Failure("bad-response", line)
        headers.append([name, value.strip(" \t").replace("\r", " ")])
    return int(status), headers, body


def get(url, ca):
    """The final response."""
    for _ in range(MAX_HOPS + 1):
        status, headers, body = parse(exchange(url, ca))
        location = next((value for name, value in headers if name.lower() == "location"), "")
        if status not in (301, 302) or not location:
            return status, headers, body
        url = urljoin(url, location)
    raise Failure("too-many-redirects", url)


def main():
    words, ca = sys.argv[1:], None
    for option in ("--ca", "--max-time"):
        if option in words:
            at = words.index(option)
            value = words[at + 1]
            del words[at : at + 2]
            ca = value if option == "--ca" else ca
    method, url = words
    if method != "get":
        sys.exit("not yet implemented: post")
    try:
        status, headers, body = get(url, ca)
    except Failure as failure:
        kind, detail = failure.args
        print(f"error: {kind}: {' '.join(detail.split())}", file=sys.stderr)
        sys.exit(1)
    print(json.dumps({"status": status, "headers": headers}), flush=True)
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()


main()
