"""Chromium without a window, told what to do through its own pipe (DevTools protocol): no driver, no socket, no package.

`with Browser(folder) as browser: browser.open(path, width=360); browser.ask("document.title")`. What the page asks for, what it
says on the console and what it throws is kept.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path
from select import select
from time import monotonic
from types import TracebackType
from typing import Any

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
_PATIENCE_S = 600.0
# no sandbox: tests may run as root in a container, where Chromium has none, and the pages are our own
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe", "about:blank",
)  # fmt: skip


class Browser:
    """`requests`: addresses asked for since `open`; `complaints`: errors and warnings of the console, and what was thrown."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None, "Chromium is needed to test: `apt-get install chromium`"
        here, self._out = os.pipe()
        self._in, there = os.pipe()

        def as_three_and_four() -> (
            None
        ):  # where Chromium looks for its pipe; by way of higher numbers, lest one closes the other
            a, b = os.dup(here), os.dup(there)
            high_a, high_b = os.dup2(a, 200), os.dup2(b, 201)
            os.dup2(high_a, 3)
            os.dup2(high_b, 4)

        command = [CHROMIUM, f"--user-data-dir={folder}", *_OPTIONS]
        self._process = subprocess.Popen(
            command, pass_fds=(3, 4), preexec_fn=as_three_and_four, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(here)
        os.close(there)
        self._buffer, self._count, self._session = b"", 0, ""
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def __enter__(self) -> Browser:
        pages = [t for t in self._send("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        attach = {"targetId": pages[0]["targetId"], "flatten": True}
        self._session = self._send("Target.attachToTarget", attach)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = ""
        try:
            self._send("Browser.close")  # so that its children end too
            self._process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def open(self, path: Path, *, width: int, height: int = 800, dark: bool = False) -> None:
        self.requests.clear()
        self.complaints.clear()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._send("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._send("Emulation.setEmulatedMedia", {"features": [scheme]})
        self._send("Page.navigate", {"url": path.as_uri()})
        end = monotonic() + _PATIENCE_S
        while self.ask("document.readyState") != "complete" or self.ask("location.href") != path.as_uri():
            assert monotonic() < end

    def ask(self, expression: str) -> Any:
        """The value of JavaScript on the page."""
        said = self._send("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def press(self, key: str) -> None:
        """A key as a person presses it, such as Enter or Tab."""
        text = {"Enter": "\r"}.get(key, "")
        event = {"key": key, "code": key, "text": text, "windowsVirtualKeyCode": {"Enter": 13, "Tab": 9}[key]}
        self._send("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        self._send("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def screenshot(self, path: Path) -> None:
        """Of the whole page."""
        said = self._send("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(b64decode(said["data"]))

    def pdf(self) -> bytes:
        return b64decode(self._send("Page.printToPDF", {"preferCSSPageSize": True})["data"])

    def _send(self, method: str, params: dict[str, Any] | None = None) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params or {}}
        os.write(
            self._out, json.dumps(message | ({"sessionId": self._session} if self._session else {})).encode() + b"\0"
        )
        while True:
            said = self._receive()
            if said.get("id") == self._count:
                assert "error" not in said, said
                return said["result"]
            self._note(said)

    def _receive(self) -> Any:
        end = monotonic() + _PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._in], [], [], max(0.0, end - monotonic()))
            assert ready, "Chromium does not answer"
            more = os.read(self._in, 1 << 20)
            assert more, "Chromium has ended"
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def _note(self, event: Any) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(params["entry"]["text"])
