"""Drives a headless Chromium over its DevTools pipe, with Python's standard library alone.

    with Browser() as browser:
        page = browser.open("file:///…/report.html", width=1280)
        page.value("document.title")

What the page asks for, logs or throws is kept in `page.requests` and `page.problems`.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find():
    """The browser's program, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class BrowserError(Exception):
    """The browser did not do what was asked."""


class Browser:
    """One headless browser; ends with the `with` block."""

    def __init__(self, seconds=60):
        program = find()
        if program is None:
            raise BrowserError("no Chromium is installed: apt-get install chromium")
        self.deadline = time.monotonic() + seconds
        self.folder = tempfile.mkdtemp(prefix="fathom-browser-")
        to_browser, from_us = os.pipe()
        to_us, from_browser = os.pipe()
        self.writer, self.reader = from_us, to_us

        def connect():
            # The browser reads commands from 3 and answers on 4.
            low, high = os.dup(to_browser), os.dup(from_browser)
            os.dup2(low, 3)
            os.dup2(high, 4)

        self.process = subprocess.Popen(
            [
                program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox",
                "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-extensions", "--hide-scrollbars",
                "--force-color-profile=srgb", f"--user-data-dir={self.folder}", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=connect)
        os.close(to_browser)
        os.close(from_browser)
        self.number = 0
        self.buffer = b""
        self.pages = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except BrowserError:
            pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.writer)
        os.close(self.reader)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, session=None, **parameters):
        """Sends one command and waits for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writer, data):]
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message')}")
                return answer.get("result", {})

    def _receive(self):
        while b"\0" not in self.buffer:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.reader], [], [], left)[0]:
                raise BrowserError("the browser did not answer in time")
            chunk = os.read(self.reader, 1 << 20)
            if not chunk:
                raise BrowserError("the browser ended")
            self.buffer += chunk
        line, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(line)
        page = self.pages.get(message.get("sessionId"))
        if page is not None and "method" in message:
            page._heard(message["method"], message.get("params", {}))
        return message

    def open(self, address, width=1280, height=900, dark=False, scale=1):
        """Opens a page and waits until it has loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        self.pages[session] = page
        for domain in ("Page", "Network", "Runtime", "Log", "DOM", "Accessibility"):
            page.call(f"{domain}.enable")
        page.resize(width, height, scale)
        page.look(dark)
        page.call("Page.navigate", url=address)
        while not page.is_loaded:
            self._receive()
        return page


class Page:
    """One tab."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.is_loaded = False
        self.requests = []
        self.problems = []

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def _heard(self, event, facts):
        if event == "Page.loadEventFired":
            self.is_loaded = True
        elif event == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"][:300])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(str(facts["exceptionDetails"].get("text")))
        elif event == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning"):
            self.problems.append(str([a.get("value") for a in facts["args"]]))
        elif event == "Log.entryAdded":
            self.problems.append(f"{facts['entry']['source']}: {facts['entry']['text']}")
        elif event == "Page.javascriptDialogOpening":
            self.problems.append(f"a dialog opened: {facts.get('message')}")

    def resize(self, width, height=900, scale=1):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=scale, mobile=width < 600)

    def look(self, dark):
        self.call(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ])

    def value(self, script):
        """What a script comes to, as plain data."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{script}: {answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    def picture(self, path, box=None):
        """Writes a PNG of the whole page, or of a box `(x, y, width, height)` of it."""
        if box is None:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            box = (0, 0, size["width"], min(size["height"], 16_000))
        clip = dict(zip(("x", "y", "width", "height"), box), scale=1)
        answer = self.call(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    def box(self, selector):
        """Where an element lies, or None."""
        return self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "if (!e) return null; const b = e.getBoundingClientRect();"
            "return [b.x + scrollX, b.y + scrollY, b.width, b.height]; })()")

    def pdf(self, path):
        answer = self.call("Page.printToPDF", printBackground=True, paperWidth=8.27,
                           paperHeight=11.69)
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    def named_images(self):
        """The names that screen readers give to pictures."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            node.get("name", {}).get("value", "") for node in nodes
            if not node.get("ignored") and node.get("role", {}).get("value") in ("image", "img")
        ]
