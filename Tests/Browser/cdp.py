"""A small client of the Chrome DevTools Protocol, standard library only.

`Browser` starts a headless Chromium with its own profile and speaks to it over one WebSocket (RFC 6455, client side, text
frames). `Page` is one tab: evaluate, click, type, screenshot. Everything happens in the caller's thread: events are
collected whenever a call waits for its answer, and in `pump`.
Protocol: https://chromedevtools.github.io/devtools-protocol/ (flattened sessions).
"""

import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time


class WebSocket:
    """The client's end of one WebSocket; enough of RFC 6455 for a peer on this machine."""

    def __init__(self, host, port, path):
        self.socket = socket.create_connection((host, port), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self._fill(time.monotonic() + 10)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0] + b" ":
            raise ConnectionError(f"no WebSocket at {path}: {head[:80]!r}")
        self.fragments = b""

    def _fill(self, deadline):
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the other end closed the connection")
        self.buffer += data

    def send(self, text):
        self._send_frame(0x1, text.encode())

    def _send_frame(self, opcode, payload):
        size = len(payload)
        if size < 126:
            header = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 1 << 16:
            header = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            header = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        # A mask of zeros is allowed and leaves the payload as it is; masking protects proxies, and there is none here.
        self.socket.settimeout(10)
        self.socket.sendall(header + b"\0\0\0\0" + payload)

    def receive(self, timeout):
        """The next text message, or None when none came in time."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self._take_frame()
            if frame is None:
                try:
                    self._fill(deadline)
                except (TimeoutError, BlockingIOError):
                    return None
                continue
            final, opcode, payload = frame
            if opcode == 0x9:
                self._send_frame(0xA, payload)
            elif opcode == 0x8:
                raise ConnectionError("the other end closed the connection")
            elif opcode in (0x0, 0x1):
                self.fragments += payload
                if final:
                    message, self.fragments = self.fragments, b""
                    return message.decode()

    def _take_frame(self):
        data = self.buffer
        if len(data) < 2:
            return None
        size, start = data[1] & 0x7F, 2
        if size == 126:
            if len(data) < 4:
                return None
            size, start = struct.unpack_from("!H", data, 2)[0], 4
        elif size == 127:
            if len(data) < 10:
                return None
            size, start = struct.unpack_from("!Q", data, 2)[0], 10
        if len(data) < start + size:
            return None
        self.buffer = data[start + size:]
        return bool(data[0] & 0x80), data[0] & 0x0F, data[start:start + size]

    def close(self):
        self.socket.close()


class Browser:
    """One headless Chromium with a profile of its own; `close` ends it and every process it started."""

    def __init__(self, executable, arguments=(), log=None):
        self.profile = tempfile.mkdtemp(prefix="repartee-chromium-")
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        self.log = open(log, "wb") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [executable, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self.profile}",
             "--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-gpu",
             "--hide-scrollbars", "--force-color-profile=srgb", *sandbox, *arguments, "about:blank"],
            stdout=self.log, stderr=self.log, start_new_session=True)
        try:
            port, path = self._address()
            self.socket = WebSocket("127.0.0.1", port, path)
        except BaseException:
            self.close()
            raise
        self.last_id = 0
        self.answers = {}
        self.pages = {}

    def _address(self):
        """Chromium writes the port it chose, and the path of its WebSocket, into its profile."""
        file = os.path.join(self.profile, "DevToolsActivePort")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"Chromium ended at once with status {self.process.returncode}")
            try:
                lines = open(file).read().split("\n")
                if len(lines) >= 2 and lines[1]:
                    return int(lines[0]), lines[1]
            except FileNotFoundError:
                pass
            time.sleep(0.05)
        raise TimeoutError("Chromium did not open its debugging port within 30 s")

    def call(self, method, params=None, session=None, timeout=20):
        self.last_id += 1
        number = self.last_id
        message = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        self.socket.send(json.dumps(message))
        deadline = time.monotonic() + timeout
        while number not in self.answers:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{method} was not answered within {timeout} s")
            self._receive(left)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def _receive(self, timeout):
        text = self.socket.receive(timeout)
        if text is None:
            return
        message = json.loads(text)
        if "id" in message:
            self.answers[message["id"]] = message
        elif message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].events.append((message["method"], message["params"]))

    def pump(self, seconds):
        """Waits, and collects events meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._receive(left)

    def page(self):
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session)
        self.pages[session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        return page

    def close(self):
        if getattr(self, "socket", None):
            self.socket.close()
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(5)
        if self.log is not subprocess.DEVNULL:
            self.log.close()
        for _ in range(10):                       # its children may still be writing their last
            shutil.rmtree(self.profile, ignore_errors=True)
            if not os.path.exists(self.profile):
                return
            time.sleep(0.1)


class Page:
    """One tab. `events` holds everything it reported, as (method, params)."""

    def __init__(self, browser, session):
        self.browser = browser
        self.session = session
        self.events = []

    def call(self, method, params=None, timeout=20):
        return self.browser.call(method, params, self.session, timeout)

    def open(self, url):
        answer = self.call("Page.navigate", {"url": url})
        if "errorText" in answer:
            raise ConnectionError(f"{url}: {answer['errorText']}")
        self.wait("document.readyState === 'complete'", 15, f"{url} to load")

    def evaluate(self, expression, timeout=20):
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", {
            "expression": expression, "returnByValue": True, "awaitPromise": True}, timeout)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details.get("text"))
        return answer["result"].get("value")

    def wait(self, expression, timeout, what=None):
        """Waits until the expression is truthy and returns its value; TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            value = self.evaluate(expression)
            if value:
                return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {timeout} s for {what or expression}")
            self.browser.pump(0.05)

    def click(self, selector):
        """A real click, with all that a browser attaches to one (user activation)."""
        quoted = json.dumps(selector)
        box = self.wait(
            f"(() => {{ const e = [...document.querySelectorAll({quoted})].find(e => e.checkVisibility() && !e.disabled);"
            " if (!e) return null; e.scrollIntoView({block: 'nearest'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()", 5, f"{selector} to be clickable")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {
                "type": kind, "x": box[0], "y": box[1], "button": "left", "clickCount": 1})

    def type(self, selector, text):
        self.click(selector)
        self.call("Input.insertText", {"text": text})

    def press(self, key, code, number, text=None):
        extra = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", {
                "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, **extra})

    def look(self, width=1280, height=800, dark=False, reduced_motion=False, scale=1):
        """What the page believes about screen and preferences."""
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600})
        self.call("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"}]})
        self.browser.pump(0.25)

    def screenshot(self, file):
        data = self.call("Page.captureScreenshot", {"format": "png"})["data"]
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))

    def complaints(self):
        """Console errors, uncaught exceptions, and the browser's own error log (CSP violations among them)."""
        found = []
        for method, params in self.events:
            if method == "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                found.append(details.get("exception", {}).get("description") or details["text"])
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
                found.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
            elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(f"{params['entry']['text']} {params['entry'].get('url', '')}".strip())
        return found

    def requests(self):
        """Every URL the page asked for, WebSockets included."""
        return [params["request"]["url"] if method == "Network.requestWillBeSent" else params["url"]
                for method, params in self.events
                if method in ("Network.requestWillBeSent", "Network.webSocketCreated")]
