#!/usr/bin/env python3
"""Requests with their bytes changed, against running servers: no crash, no 500, no half a reply, nothing left behind.

    test_http_bytes.py STAND PATH-TO-KITH [REQUESTS [SEED]]

Sound requests (of test/http_stand.c, and every example of the whole service's document) are cut, flipped, doubled, given wrong
lengths and chunks, NULs, broken UTF-8, huge lines and odd line ends, and sent in pieces, alone or one behind the other.  The same
seed sends the same bytes; what fails is shown as it was sent.  In a build with sanitizers the servers are watched by them.
"""
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request

STAND, KITH = sys.argv[1], sys.argv[2]
REQUESTS = int(sys.argv[3]) if len(sys.argv) > 3 else 1500
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
STATUSES = {100, 200, 201, 202, 204, 302, 304, 400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 417, 422, 426, 429, 431, 501, 503, 505}
LIMITS = {"header_seconds": 2, "body_seconds": 2, "idle_seconds": 2, "header_bytes": 8192, "body_bytes": 65536}


# ---- changes: bytes to bytes, by a generator of random numbers

def cut(r, b):
    return b[:r.randrange(len(b) + 1)]


def flip(r, b):
    out = bytearray(b)
    for _ in range(r.choice((1, 1, 2, 8))):
        if out:
            out[r.randrange(len(out))] ^= 1 << r.randrange(8)
    return bytes(out)


def insert(r, b):
    at = r.randrange(len(b) + 1)
    what = r.choice((b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\r", b"\n", b"\r\n\r\n", b" ", b"\t", b"%", b"%00", b"%ff", b"%2f",
                     b"\"", b"\\u0000", b"\\ud800", b"{", b"[" * 3000, b"1e999", b"-", b"a" * 70000))
    return b[:at] + what + b[at:]


def drop(r, b):
    at = r.randrange(len(b) + 1)
    return b[:at] + b[at + r.choice((1, 2, 10)):]


def headers(b):
    head, _, body = b.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def joined(lines, body):
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def double(r, b):
    lines, body = headers(b)
    again = r.choice(lines)
    if r.random() < 0.3:
        again += b"x"
    lines.insert(r.randrange(1, len(lines) + 1), again)
    return joined(lines, body)


def length(r, b):
    lines, body = headers(b)
    n = len(body)
    value = r.choice((n - 1, n + 1, 0, -1, 1 << 31, 1 << 63, 1 << 64, f"+{n}", f"{n}, {n}", f"0x{n:x}", f" {n} ", f"{n}\t", "", "five", f"{n}.0", f"00{n}"))
    lines = [line for line in lines if not line.lower().startswith(b"content-length")]
    return joined(lines + [f"Content-Length: {value}".encode()], body)


def chunked(r, b):
    lines, body = headers(b)
    lines = [line for line in lines if r.random() < 0.1 or not line.lower().startswith(b"content-length")]
    lines.append(r.choice((b"Transfer-Encoding: chunked", b"transfer-encoding: CHUNKED", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity",
                           b"Transfer-Encoding:\tchunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: xchunked")))
    out = b""
    while body:
        n = r.randrange(1, len(body) + 1)
        size = r.choice((b"%x", b"%x", b"%x", b"%X", b"0%x", b"%x;a=b", b"%x ", b"-%x", b"0x%x", b"%x0", b"ffffffffffffffff%x", b"%xg", b" %x")) % n
        out += size + r.choice((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r")) + body[:n] + r.choice((b"\r\n", b"\r\n", b"\r\n", b"", b"\n", b"xx"))
        body = body[n:]
    return joined(lines, out + r.choice((b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nX-T: 1\r\n\r\n", b"0\r\n", b"", b"00\r\n\r\n", b"-0\r\n\r\n")))


def huge(r, b):
    lines, body = headers(b)
    what = r.choice((b"X-Long: " + b"a" * 100000, b"a" * 50000 + b": b", b"X: y", b"Cookie: " + b"a=b; " * 5000))
    lines[1:1] = [what] * (3000 if what == b"X: y" else 1)
    return joined(lines, body)


def first_line(r, b):
    line, _, rest = b.partition(b"\r\n")
    method, target, version = (line.split(b" ") + [b"", b""])[:3]
    method = r.choice((method, method, b"get", b"PRI", b"OPTIONS", b"TRACE", b"CONNECT", b"", b"G\0T", b"A" * 5000, b"HEAD"))
    target = r.choice((target, target, b"*", b"http://x" + target, b"//" + target, target + b"?" + b"&" * 5000, target + b"?n=%", target + b"#x", b"/" * 9000,
                       b"/../" * 50 + target, target.replace(b"/", b"%2f"), target + b"?" + b"&".join(b"a%d=1" % n for n in range(2000)), b"\xff\xfe"))
    version = r.choice((version, version, version, b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.", b"http/1.1", b"", b"HTTP/1.1 x"))
    return b" ".join((method, target, version)) + b"\r\n" + rest


def line_ends(r, b):
    return b.replace(b"\r\n", r.choice((b"\n", b"\r", b"\n\r", b"\r\n ", b"\r\r\n")), r.choice((1, -1)))


def before(r, b):
    return r.choice((b"\r\n", b"\r\n" * 100, b"\n", b" ", b"\0", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) + b


def same(_, b):
    return b


CHANGES = (cut, flip, insert, drop, double, length, chunked, huge, first_line, line_ends, before, same)


def made(r, sound):
    """What one connection sends, and in which pieces."""
    text = b""
    for _ in range(r.choice((1, 1, 1, 2, 4))):
        one = r.choice(sound)
        for _ in range(r.choice((1, 1, 1, 2, 3))):
            one = r.choice(CHANGES)(r, one)
        text += one
    pieces, n = [], r.choice((1, 1, 2, 5))
    for at in sorted([0] + [r.randrange(len(text) + 1) for _ in range(n - 1)]):
        pieces.append(at)
    return [text[a:b] for a, b in zip(pieces, pieces[1:] + [len(text)])]


# ---- what comes back

def read(s):
    """All that comes until the other side is done or has nothing more to say, and whether it is done."""
    got = b""
    s.settimeout(0.15)
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return got, True
            got += more
    except (TimeoutError, ConnectionError):
        return got, False


def wrong(got, is_all):
    """The sentence of what is wrong with the replies, or None."""
    while got:
        head, end, rest = got.partition(b"\r\n\r\n")
        if not end:
            return f"half a reply: {got[:200]!r}" if is_all else None
        if not head.startswith(b"HTTP/1."):
            return f"no reply begins with {got[:80]!r}"
        status = int(head.split(b" ", 2)[1])
        if status not in STATUSES:
            return f"status {status}: {rest[:400]!r}"
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
        if status == 100:
            got = rest
            continue
        if b"content-length" not in fields:
            return None  # a stream: what follows is not looked at
        n = 0 if rest.startswith(b"HTTP/1.") else int(fields[b"content-length"])  # HEAD has no body, nor has 304
        if 0 < len(rest) < n:
            return f"half a body: {rest[:200]!r}" if is_all else None
        if rest[:n] and fields.get(b"content-type") == b"application/problem+json" and json.loads(rest[:n])["status"] != status:
            return f"a problem of another status: {rest[:n]!r}"
        got = rest[n:]
    return None


class Failures:
    def __init__(self):
        self.lock, self.all = threading.Lock(), []

    def add(self, n, pieces, sentence):
        with self.lock:
            self.all.append(f"request {n} of seed {SEED}: {sentence}\n  sent {[p if len(p) < 2000 else p[:1000] + b'...' for p in pieces]!r}")


def send_all(port, sound, numbers, failures):
    for n in numbers:
        pieces = made(random.Random(f"{SEED} {n}"), sound)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    for piece in pieces:
                        s.sendall(piece)
                except (ConnectionError, TimeoutError):
                    pass  # it has heard enough
                sentence = wrong(*read(s))
        except (OSError, ValueError, KeyError, IndexError) as e:
            sentence = f"{type(e).__name__}: {e}"
        if sentence:
            failures.add(n, pieces, sentence)


def storm(port, sound):
    failures = Failures()
    threads = [threading.Thread(target=send_all, args=(port, sound, range(k, REQUESTS // 2, 8), failures)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return failures.all


def request(method, target, key, body=None, kind="application/json"):
    lines = [f"{method} {target} HTTP/1.1", "Host: x", f"X-API-Key: {key}"]
    if body is not None:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


# ---- the two servers

def ended(process, log, stop):
    """What is wrong with how a server ended."""
    stop()
    out = process.stdout.read()
    code = process.wait(60)
    log.seek(0)
    said = log.read().decode(errors="replace")
    errors = [] if code == 0 else [f"the server ended with {code}: {said[-3000:]}"]
    errors += [line for line in said.splitlines() if "runtime error" in line or "Sanitizer" in line]
    return errors, out


def the_stand():
    with tempfile.TemporaryFile() as log:
        p = subprocess.Popen([STAND, json.dumps({"limits": LIMITS, "log": {"requests": "none"}})], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        first = json.loads(p.stdout.readline())
        key, body = first["key"], b'{"name": "cup", "tags": ["a", "b"], "price": 12.5}'
        sound = [request("GET", "/v1/things/a?n=3", key), request("POST", "/v1/things", key, body), request("HEAD", "/v1/things/a", key),
                 request("POST", "/v1/things/import", key, (body + b"\n") * 20, "application/x-ndjson"), request("DELETE", "/v1/things/a", key),
                 request("GET", "/v1/count?n=2", key), request("GET", "/v1/health/live", key), request("GET", "/v1/docs", key)]
        errors = storm(first["port"], sound)
        more, out = ended(p, log, p.stdin.close)
        if not more and json.loads(out) != {"in_flight": 0, "allocated": 0}:
            more = [f"left behind: {out.decode()}"]
        return errors + more


def examples(url, key):
    """Every operation of the document as a request, with its examples."""
    document = json.loads(urllib.request.urlopen(url + "/v1/openapi.json", timeout=10).read())
    for path, item in document["paths"].items():
        for method, o in item.items():
            target = path
            for p in o.get("parameters", []):
                if p["in"] == "path":
                    target = target.replace("{" + p["name"] + "}", str(p.get("example", "x")))
            query = "&".join(f"{p['name']}={p.get('example', 1)}" for p in o.get("parameters", []) if p["in"] == "query" and p["required"])
            kind, media = next(iter(o.get("requestBody", {}).get("content", {}).items()), (None, None))
            value = media["example"] if media else None
            body = None if media is None else (value if isinstance(value, str) else json.dumps(value)).encode()
            yield request(method.upper(), target + (f"?{query}" if query else ""), key, body, kind)


def the_service():
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "config.json")
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"limits": LIMITS, "log": {"requests": "none"}, "service": {"train_every": -1}}, out)
        p = subprocess.Popen([KITH, "serve", "--port", "-1", "--json", "--config", config, "--model", "popularity"], stdout=subprocess.PIPE, stderr=log)
        line = p.stdout.readline()
        if not line:
            log.seek(0)
            return [f"the service does not start: {log.read().decode()[-1000:]}"]
        first = json.loads(line)
        errors = storm(first["port"], list(examples(first["url"], first["key"])))
        with urllib.request.urlopen(first["url"] + "/v1/health/ready", timeout=10) as reply:
            assert reply.status == 200
        return errors + ended(p, log, lambda: p.send_signal(signal.SIGTERM))[0]


passed = failed = 0
for test in (the_stand, the_service):
    errors = test()
    passed, failed = passed + (not errors), failed + bool(errors)
    print("\n".join([f"FAILED  {test.__name__}"] + errors[:10]) if errors else f"ok      {test.__name__}: {REQUESTS // 2} connections", flush=True)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
