#!/usr/bin/env python3
"""What kith's HTTP layer costs over bare libmicrohttpd: processor time per request, in turns, on this machine.

    ninja -C build bench/bare_http test/http_stand
    python3 bench/http_layer.py build/bench/bare_http build/test/http_stand [ROUNDS]

wrk (Debian package wrk) keeps 64 connections busy.  Requests a second depend on who else uses the machine; processor time per
request of the server's own process does so much less, and is the figure.  Prints one line per round and the medians.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(command, path, key, seconds=3):
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = json.loads(p.stdout.readline())
    wrk = ["wrk", "-t1", "-c64", f"-d{seconds}s"] + (["-H", f"X-API-Key: {first['key']}"] if key else [])
    before = cpu(p.pid)
    out = subprocess.run(wrk + [f"http://127.0.0.1:{first['port']}{path}"], capture_output=True, text=True).stdout
    spent = cpu(p.pid) - before
    p.stdin.close()
    p.wait()
    n = int(re.search(r"(\d+) requests in", out).group(1))
    assert "Non-2xx" not in out, out
    return n / seconds, 1e6 * spent / n


def main():
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk: apt-get install wrk")
    bare, stand, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 5
    quiet = [stand, json.dumps({"log": {"requests": "none"}})]
    cases = {"bare libmicrohttpd": ([bare], "/", False), "health, constant": (quiet, "/v1/health/live", False),
             "key, parameters, JSON": (quiet, "/v1/things/a?n=3&deep=true", True)}
    seen = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (command, path, key) in cases.items():
            seen[name].append(measure(command, path, key))
    base = statistics.median(us for _, us in seen["bare libmicrohttpd"])
    for name, figures in seen.items():
        us = statistics.median(us for _, us in figures)
        print(f"{name:24} {statistics.median(r for r, _ in figures):9.0f} requests/s {us:7.2f} us of processor each,"
              f" {base / us:5.2f} of bare")


main()
