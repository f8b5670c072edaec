"""Firefox ESR, headless, driven over its own Marionette protocol."""

import json
import os
import socket
import subprocess
import time

PORT = 2828
PREFERENCES = {
    "marionette.port": PORT,
    "security.webauth.webauthn_enable_usbtoken": True,
    "security.webauth.webauthn_enable_softtoken": False,
    # The rest only shortens the start.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.ml.enable": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.ipc.processCount": 1,
    "dom.ipc.processPrelaunch.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "fission.autostart": False,
    "javascript.options.ion": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "startup.homepage_welcome_url": "about:blank",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """A running Firefox with the page open."""

    def __init__(self):
        os.makedirs("profile", exist_ok=True)
        with open("profile/user.js", "w") as file:
            for name, value in PREFERENCES.items():
                file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        command = ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", "profile"]
        with open("firefox.log", "wb") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log)
        self.stream = self.connect()
        self.last = 0
        self.receive()
        self.call("WebDriver:NewSession", {})
        self.call("WebDriver:SetTimeouts", {"script": 180000, "pageLoad": 180000})
        self.call("WebDriver:Navigate", {"url": "http://localhost:8000/"})

    def connect(self):
        end = time.monotonic() + 180
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", PORT))
                connection.settimeout(300)
                return connection.makefile("rwb")
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("Firefox did not open its port; see firefox.log") from None
                time.sleep(0.2)

    def ceremony(self, kind, options):
        script = "const done = arguments[2]; ceremony(arguments[0], arguments[1]).then(done);"
        params = {"script": script, "args": [kind, options], "sandbox": None}
        result = self.call("WebDriver:ExecuteAsyncScript", params)["value"]
        if "error" in result:
            raise RuntimeError(result["error"])
        return result

    def call(self, name, params):
        self.last += 1
        message = json.dumps([0, self.last, name, params]).encode()
        self.stream.write(b"%d:%s" % (len(message), message))
        self.stream.flush()
        _, number, error, result = self.receive()
        assert number == self.last, f"answer {number} to command {self.last}"
        if error:
            raise RuntimeError(f"{name}: {error}")
        return result

    def receive(self):
        """One message: its length in decimal, a colon, JSON."""
        length = b""
        while (digit := self.stream.read(1)) != b":":
            if not digit:
                raise EOFError("Firefox ended; see firefox.log")
            length += digit
        return json.loads(self.stream.read(int(length)))

    def close(self):
        self.process.kill()
        self.process.wait()
