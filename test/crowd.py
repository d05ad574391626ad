#!/usr/bin/env python3
"""kith serve and its crowds: many connections opened and closed, and many that stay and say next to nothing.

    crowd.py KITH KNOCK [CONNECTIONS [SLOW]]

KNOCK is the program of knock.c. After them the service has the memory, the descriptors and the threads that it had before,
and while the slow ones are there it answers others as if they were not.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time

from soak import CONFIG, NOISE_BYTES, Client, Service, prepare, rest

KITH, KNOCK = map(os.path.abspath, sys.argv[1:3])
MANY = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
SLOW = int(sys.argv[4]) if len(sys.argv) > 4 else 200
WARM = 10000            # connections until malloc's arenas and the pools of threads are what they stay
HEADER_SECONDS = 2      # of the service: seconds from the first byte to the end of the headers


def knock(service, n):
    done = subprocess.run([KNOCK, str(service.port), str(n), "8"], capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["replies"] == told["connections"] * 2 // 5, told
    return told


def many_come_and_go(service):
    knock(service, WARM)
    before = rest(service)
    told = knock(service, MANY)
    after = rest(service)
    grown = after["anon"] - before["anon"]
    print(f"{told['connections']} connections in {told['seconds']:.1f} s, {told['connections'] / told['seconds']:.0f}/s: memory "
          f"{after['rss'] / 2**20:.1f} MiB ({grown / 2**20:+.2f}), {after['descriptors']} descriptors "
          f"({after['descriptors'] - before['descriptors']:+d}), {after['threads']} threads; "
          f"{(after['cpu'] - before['cpu']) / told['connections'] * 1e6:.0f} microseconds of processor each")
    same_as_before(before, after)


def same_as_before(before, after):
    grown = after["anon"] - before["anon"]
    assert grown < NOISE_BYTES, f"memory has grown by {grown} bytes"
    assert after["threads"] == before["threads"], (before, after)
    # A thread of the pool lets go of its last closed connection at its next event, which may be long in coming.
    assert after["descriptors"] <= before["descriptors"] + 2, (before, after)
    assert after["in_flight"] <= 1 and after["streams"] == 0, after


def trickle(sockets, until):
    """A byte of a header from each of them, again and again; how many are let go."""
    gone = set()
    while time.monotonic() < until and len(gone) < len(sockets):
        for n, s in enumerate(sockets):
            if n not in gone:
                try:
                    s.send(b"X")
                except OSError:
                    gone.add(n)
        time.sleep(0.2)
    return len(gone)


def slow_ones_harm_nobody(service):
    """Twice: malloc keeps what as many connections at one time took, but the second time must take nothing more."""
    meet_slow_ones(service)
    before = rest(service)
    meet_slow_ones(service)
    same_as_before(before, rest(service))


def meet_slow_ones(service):
    sockets = [service.raw(f"127.0.{1 + n % 4}.{1 + n % 250}") for n in range(SLOW)]
    gone, seconds = [], []
    begun = time.monotonic()
    thread = threading.Thread(target=lambda: gone.append(trickle(sockets, begun + 4 * HEADER_SECONDS + 5)))
    thread.start()
    client = Client(service, {})
    while thread.is_alive():
        asked = time.monotonic()
        client.get("/v1/recommend/u7?n=10")
        seconds.append(time.monotonic() - asked)
        time.sleep(0.01)
    client.close()
    for s in sockets:
        s.close()
    worst = sorted(seconds)[len(seconds) * 99 // 100]
    print(f"{SLOW} slow connections, all let go within {time.monotonic() - begun:.1f} s; meanwhile {len(seconds)} lists, "
          f"99 of 100 within {worst * 1e3:.1f} ms")
    assert gone == [SLOW], f"{gone} of {SLOW} slow connections were let go"
    assert worst < 1, f"a list took {worst:.2f} s"      # the load of the machine is unknown: this finds a service that waits


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="kith-crowd-") as folder:
        prepare(KITH, folder, {**CONFIG, "limits": {"header_seconds": HEADER_SECONDS}})
        service = Service(KITH, folder)
        for test in (many_come_and_go, slow_ones_harm_nobody):
            try:
                test(service)
            except AssertionError as error:
                failed += 1
                print(f"FAILED  {test.__name__}: {error}")
        assert service.stop(15) == 0
    print(f"{2 - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
