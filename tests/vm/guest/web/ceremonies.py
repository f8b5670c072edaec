#!/usr/bin/python3
"""Registers with a browser and signs in twice, every result checked by the relying party.

    ceremonies.py chromium|firefox [OPTION]...

    --resident-key       with a discoverable credential, which is not named at sign-in
    --pin PIN NODE       with user verification: the PIN is typed into the browser's own dialog, on a virtual screen
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, "/share/guest")
import ctaphid
from chromium import Chromium
from firefox import Firefox
from relying_party import RelyingParty


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("browser", choices=["chromium", "firefox"])
    parser.add_argument("--resident-key", action="store_true")
    parser.add_argument("--pin", nargs=2)
    args = parser.parse_args()

    party = RelyingParty(
        # Firefox asks its user before it hands out an attestation, and nobody is there to answer.
        attestation="none" if args.browser == "firefox" else "direct",
        user_verification="required" if args.pin else "discouraged",
        resident_key="required" if args.resident_key else "discouraged")
    start = time.monotonic()
    user = Typist(*args.pin, args.resident_key) if args.pin else contextlib.nullcontext()
    browser = Firefox() if args.browser == "firefox" else Chromium(headless=not args.pin)
    step(start, "page open")
    try:
        with user:
            party.register(browser)
        step(start, "registered")
        for _ in range(2):
            with user:
                party.sign_in(browser, named=not args.resident_key)
            step(start, "signed in")
    except BaseException:
        if args.pin:
            shutil.copy("Xvfb_screen0", "/share/logs/screen.xwd")
        raise
    finally:
        browser.close()


def step(start, what):
    print(f"{time.monotonic() - start:.1f} s: {what}", flush=True)


class Typist:
    """A virtual screen and somebody at its keyboard, during `with`.

    The dialogs say nothing of themselves, so this user watches the key. When the browser has asked it for its PIN
    retries, the PIN dialog is there or about to come: the PIN is typed until the browser goes on. When nothing happens
    after that and `confirms` is set, the browser wants the account confirmed: return.
    """

    def __init__(self, pin, node, confirms):
        self.pin = pin
        self.confirms = confirms
        self.key = ctaphid.Hidraw(node)
        self.wanted = threading.Event()
        os.environ["DISPLAY"] = ":1"
        # -r: no key repeats itself, or a slow release presses return again, on whatever dialog comes next.
        screen = ["Xvfb", ":1", "-screen", "0", "1024x768x24", "-fbdir", ".", "-r"]
        subprocess.Popen(screen, stderr=subprocess.DEVNULL)
        while not os.path.exists("/tmp/.X11-unix/X1"):
            time.sleep(0.1)
        threading.Thread(target=self.work, daemon=True).start()

    def __enter__(self):
        self.typed = False
        self.wanted.set()

    def __exit__(self, *error):
        self.wanted.clear()

    def work(self):
        while True:
            report = self.key.receive(3)
            if report is None:
                if self.confirms and self.wanted.is_set() and self.typed:
                    self.press("Return")
            elif pin_retries(report):
                while self.key.receive(3) is None:
                    self.press("ctrl+a")
                    subprocess.run(["xdotool", "type", self.pin], check=True)
                    self.press("Return")
                self.typed = True

    @staticmethod
    def press(key):
        print(f"{key} pressed", flush=True)
        subprocess.run(["xdotool", "key", key], check=True)


def pin_retries(report):
    """Whether this is the answer to getPINRetries: status 0 and a map that starts with member 3, a small number."""
    data = report.data if report.command == ctaphid.CBOR else None
    return bool(data) and data[0] == 0 and data[1] in (0xA1, 0xA2) and data[2] == 3 and data[3] < 24


main()
