"""Chromium, driven over the DevTools pipe: no driver program, no port. The real HID path, no virtual authenticator."""

import json
import os
import select
import subprocess
import time

BINARY = "/usr/lib/chromium/chromium"
FLAGS = [
    "--no-sandbox", "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-extensions",
    "--disable-component-update", "--disable-background-networking", "--disable-sync", "--password-store=basic",
    "--remote-debugging-pipe",
]


class Chromium:
    """A running Chromium with the page open; headless, or on the screen of $DISPLAY."""

    def __init__(self, headless=True):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        flags = FLAGS + [f"--user-data-dir={os.getcwd()}/profile"] + (["--headless=new"] if headless else [])
        # The browser reads commands from descriptor 3 and writes answers to 4.
        plumbing = f'exec {BINARY} "$@" 3<&{commands} 4>&{answers}'
        with open("chromium.log", "wb") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", plumbing, "sh", *flags], pass_fds=(commands, answers), stderr=log, stdout=log)
        os.close(commands)
        os.close(answers)
        self.buffer, self.last, self.session = b"", 0, None
        self.open_page()

    def open_page(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        # A tab sometimes stays blank: look for the page's own function, and go there again after a while.
        for _ in range(6):
            self.call("Page.navigate", url="http://localhost:8000/")
            again = time.monotonic() + 20
            while time.monotonic() < again:
                if self.evaluate("typeof ceremony") == "function":
                    return
                time.sleep(0.2)
        raise TimeoutError("the page did not load")

    def ceremony(self, kind, options):
        result = self.evaluate(f"ceremony({json.dumps(kind)}, {json.dumps(options)})")
        if "error" in result:
            raise RuntimeError(result["error"])
        return result

    def evaluate(self, expression):
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def call(self, method, **params):
        """One DevTools command and its answer; events in between are dropped."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 180
        while True:
            answer = self.read(end)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def read(self, end):
        """The next message from the browser."""
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError("Chromium does not answer")
            piece = os.read(self.answers, 65536)
            if not piece:
                raise EOFError("Chromium ended; see chromium.log")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def close(self):
        self.process.kill()
        self.process.wait()
