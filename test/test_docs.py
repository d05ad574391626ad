#!/usr/bin/env python3
"""The documentation page in a real browser: drawn, searched by keyboard, tried; and nobody else is asked anything.

    test_docs.py STAND FOLDER PATH-TO-KITH

STAND is a small service whose routes the test calls; of the whole service every route is opened.  Drives headless Chromium over its debugging pipe; screenshots go to FOLDER/docs-light.png and docs-dark.png.  Skipped without
Chromium.
"""
import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

STAND, FOLDER, KITH = sys.argv[1], sys.argv[2], sys.argv[3]


class Browser:
    """Chrome DevTools Protocol over two pipes: JSON messages that end with NUL."""

    def __init__(self, program, folder):
        to_read, self.write = os.pipe()
        self.read, to_write = os.pipe()
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}",
                   "--remote-debugging-pipe", "about:blank"]
        line = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self.process = subprocess.Popen(["bash", "-c", line, "bash", *command], pass_fds=(to_read, to_write),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.n, self.rest, self.events, self.session = 0, b"", [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.ask(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.read, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            m = self.message()
            if m.get("id") == self.n:
                if "error" in m:
                    raise RuntimeError(f"{method}: {m['error']}")
                return m["result"]
            self.events.append(m)

    def run(self, script):
        r = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"].get("exception", {}).get("description", script))
        return r["result"].get("value")

    def wait(self, script, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run(script):
                return
            time.sleep(0.05)
        raise AssertionError(f"never so: {script}")

    def press(self, key, text=None):
        extra = {"text": text} if text else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **extra)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, path, scheme):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        os.close(self.read)
        os.close(self.write)


def check(browser, port, key):
    browser.ask("Emulation.setDeviceMetricsOverride", width=1200, height=1000, deviceScaleFactor=1, mobile=False)
    browser.ask("Page.navigate", url=f"http://127.0.0.1:{port}/")
    browser.wait("location.pathname === '/v1/dashboard' && document.getElementById('form-ask') !== null")
    yield "the first page is the dashboard", browser.run("document.querySelectorAll('main > section').length === 5")
    browser.ask("Page.navigate", url=f"http://127.0.0.1:{port}/v1/docs")
    browser.wait("document.querySelectorAll('details.route').length > 10")
    yield "every route is drawn", browser.run("location.pathname === '/v1/docs'")

    browser.press("/", "/")
    yield "the slash finds the search", browser.run("document.activeElement.id === 'find'")
    for letter in "thing_add":
        browser.press(letter, letter)
    yield "typing narrows", browser.run("[...document.querySelectorAll('details.route')].filter(d => !d.hidden).map(d => d.id).join() === 'thing_add'")

    browser.run(f"document.getElementById('key').value = {json.dumps(key)}")
    browser.run("document.querySelector('#thing_add summary').focus()")
    browser.press("Enter", "\r")
    browser.wait("document.querySelector('#thing_add form') !== null")
    yield "Enter opens a route", browser.run("document.getElementById('thing_add').open")
    yield "the example is in the body", browser.run("document.querySelector('#thing_add textarea').value.includes('cup')")
    yield "every field has a label", browser.run("[...document.querySelectorAll('input, textarea')].every(e => e.labels.length > 0)")
    browser.run("document.querySelector('#thing_add button').focus()")
    browser.press("Enter", "\r")
    browser.wait("document.querySelector('#thing_add [role=status]').textContent.includes('201')")
    yield "a call is made and its reply shown", browser.run("document.querySelector('#thing_add [role=status]').textContent.includes('\"role\": \"admin\"')")
    browser.run("document.querySelector('#thing_add textarea').value = '{\"name\": \"\", \"price\": -1}'")
    browser.run("document.querySelector('#thing_add form').requestSubmit()")
    browser.wait("document.querySelector('#thing_add [role=status]').textContent.includes('422')")
    yield "violations are shown", browser.run("document.querySelector('#thing_add [role=status]').textContent.includes('/price')")

    for scheme in ("light", "dark"):
        browser.picture(os.path.join(FOLDER, f"docs-{scheme}.png"), scheme)
    asked = [m["params"]["request"]["url"] for m in browser.events if m.get("method") == "Network.requestWillBeSent"]
    outside = [u for u in asked if not u.startswith((f"http://127.0.0.1:{port}/", "data:"))]
    yield f"nobody else is asked: {outside}", len(asked) >= 4 and not outside
    bad = [m for m in browser.events if m.get("method") == "Runtime.exceptionThrown"]
    yield f"no exception: {bad}", not bad


def check_whole(browser, port):
    """Every route of the whole service, opened: what is referred to is found, what is to be sent is proposed."""
    browser.events.clear()
    browser.ask("Page.navigate", url=f"http://127.0.0.1:{port}/v1/docs")
    browser.wait("document.querySelectorAll('details.route').length > 50")
    browser.run("document.querySelectorAll('details.route').forEach(d => { d.open = true; })")
    browser.wait("[...document.querySelectorAll('details.route')].every(d => d.children.length > 1)")
    bad = browser.run("[...document.querySelectorAll('textarea')].filter(t => t.value === '' || t.value === 'null').map(t => t.id)")
    yield f"every body has a proposal: {bad}", not bad
    bad = browser.run("[...document.querySelectorAll('details.route')].filter(d => /undefined|\\[object/.test(d.textContent)).map(d => d.id)")
    yield f"nothing is undefined: {bad}", not bad
    yield "members of a reply are shown", browser.run("document.getElementById('recommend').textContent.includes('rec_id')")
    yield "and those within it", browser.run("document.getElementById('recommend').textContent.includes('contribution')")
    bad = [m for m in browser.events if m.get("method") == "Runtime.exceptionThrown"]
    yield f"no exception: {bad}", not bad


def whole():
    """The port of the whole service; None where kith was built without it."""
    p = subprocess.Popen([KITH, "serve", "--port", "-1", "--json", "--insecure-local"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    line = p.stdout.readline()
    return p, json.loads(line)["port"] if line else None


def main():
    program = shutil.which("chromium")
    if program is None:
        print("skipped: no chromium (Debian package chromium)\n0 passed, 0 failed")
        return 0
    stand = subprocess.Popen([STAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = json.loads(stand.stdout.readline())
    service, port = whole()
    passed = failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            for what, holds in itertools.chain(check(browser, first["port"], first["key"]), check_whole(browser, port) if port else ()):
                passed, failed = passed + bool(holds), failed + (not holds)
                print(("ok      " if holds else "FAILED  ") + what)
        except (AssertionError, RuntimeError) as e:
            failed += 1
            print(f"FAILED  {e}")
        finally:
            browser.close()
            service.terminate()
            service.wait(20)
            stand.stdin.close()
            stand.wait(20)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
