"""An HTTP client as most begin: GET, redirects and TLS, with the whole response read until the server closes.

It knows no chunked coding and no POST, and the length of a body is whatever came.
"""

import argparse
import json
import socket
import sys

MAX_HOPS = 5
# The server closes when it has sent everything. Or does it?
PATIENCE_SECONDS = 2
MOST_BYTES = 64 << 20
PORTS = {"http": "80", "https": "443"}


class Failure(Exception):
    """A kind, and what happened."""


def no_controls(url):
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise Failure("bad-url", "a space or a control character")


def take_apart(url):
    """Scheme, host, port and target of a URL."""
    no_controls(url)
    scheme, separator, rest = url.partition("#")[0].partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in PORTS:
        raise Failure("unsupported" if separator else "bad-url", f"no http:// or https:// in {url}")
    end = min(at for at in (rest.find("/"), rest.find("?"), len(rest)) if at >= 0)
    authority, target = rest[:end].rpartition("@")[2], rest[end:]
    target = target if target.startswith("/") else "/" + target
    host, bracket, after = authority.rpartition("]")
    if bracket:
        host, colon, port = host + bracket, after[:1], after[1:]
        address = host.startswith("[") and is_ipv6(host[1:-1])
    else:
        host, colon, port = authority.partition(":")
        address = host and all(letter.isalnum() or letter in "-._" for letter in host)
    port = port or PORTS[scheme]
    if not address or colon not in ("", ":") or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise Failure("bad-url", f"no host, or no port that there is, in {url}")
    target = "".join(letter if ord(letter) < 128 else escaped(letter) for letter in target)
    return scheme, host.lower(), int(port), target


def is_ipv6(text):
    try:
        return bool(socket.inet_pton(socket.AF_INET6, text))
    except OSError:
        return False


def escaped(letter):
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))


def resolved(base, location):
    """What a Location means on a page (RFC 3986)."""
    no_controls(location)
    location = location.partition("#")[0]
    scheme, separator, _ = base.partition("://")
    if location.partition(":")[0].isalnum() and ":" in location.partition("/")[0].partition("?")[0]:
        return location
    if location.startswith("//"):
        return f"{scheme}:{location}"
    _, host, port, target = take_apart(base)
    root = f"{scheme}{separator}{host}:{port}"
    path, _, query = target.partition("?")
    if not location:
        return root + target
    if location.startswith("?"):
        return root + path + location
    new, question, query = location.partition("?")
    if not new.startswith("/"):
        new = path[: path.rfind("/") + 1] + new
    kept = []
    segments = new.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return root + "/" + "/".join(kept) + question + query


def connected(scheme, host, port, ca):
    """A connection to the host."""
    try:
        connection = socket.create_connection((host.strip("[]"), port), timeout=PATIENCE_SECONDS)
    except (socket.gaierror, UnicodeError) as error:
        raise Failure("dns", str(error))
    except OSError as error:
        raise Failure("connect", str(error))
    if scheme == "http":
        return connection
    import ssl

    try:
        context = ssl.create_default_context(cafile=ca)
        return context.wrap_socket(connection, server_hostname=host.strip("[]"), suppress_ragged_eofs=False)
    except OSError as error:
        raise Failure("tls", str(error))


def exchange(url, ca):
    """Asks for the URL, and gives all that comes until the server closes."""
    scheme, host, port, target = take_apart(url)
    name = host if str(port) == PORTS[scheme] else f"{host}:{port}"
    connection = connected(scheme, host, port, ca)
    try:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("ascii"))
        pieces, length = [], 0
        while piece := connection.recv(65536):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_BYTES:
                raise Failure("too-large", "more than fits")
        return b"".join(pieces)
    except TimeoutError as error:
        raise Failure("timeout", str(error))
    except OSError as error:
        raise Failure("truncated", str(error))


def parse(response):
    """Status, fields and body."""
    head, end, body = response.partition(b"\r\n\r\n")
    if not end:
        raise Failure("truncated" if response.startswith(b"HTTP/1.") or not response else "bad-response", "no end of a head")
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    code, space, _ = rest.partition(" ")
    if version not in ("HTTP/1.0", "HTTP/1.1") or len(code) != 3 or not (code.isascii() and code.isdigit()) or "\0" in lines[0]:
        raise Failure("bad-response", lines[0])
    fields = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and fields:
            fields[-1][1] = (fields[-1][1] + " " + line.strip(" \t")).strip(" ")
            continue
        name, colon, value = line.partition(":")
        if not colon or not name or any(letter in name for letter in " \t") or "\0" in line or "\r" in line:
            raise Failure("bad-response", line)
        fields.append([name, value.strip(" \t")])
    return int(code), fields, body


def get(url, ca):
    """The final response."""
    for _ in range(MAX_HOPS + 1):
        status, fields, body = parse(exchange(url, ca))
        location = next((value for name, value in fields if name.lower() == "location"), "")
        if status not in (301, 302) or not location:
            return status, fields, body
        url = resolved(url, "".join(letter if ord(letter) < 128 else f"%{ord(letter):02X}" for letter in location))
    raise Failure("too-many-redirects", url)


def seconds(text):
    """A positive number."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def main():
    parser = argparse.ArgumentParser(prog="http", allow_abbrev=False)
    parser.add_argument("method", choices=["get", "post"])
    parser.add_argument("url")
    parser.add_argument("--ca")
    parser.add_argument("--max-time", type=seconds)
    words = parser.parse_args()
    method, url, ca = words.method, words.url, words.ca
    if method != "get":
        sys.exit("not yet implemented: post")
    try:
        status, fields, body = get(url, ca)
    except Failure as failure:
        kind, detail = failure.args
        print(f"error: {kind}: {detail!a}", file=sys.stderr)
        sys.exit(1)
    print(json.dumps({"status": status, "headers": fields}), flush=True)
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()


main()
