"""The tests that python-fido2 has for real keys, from its source package, unchanged, against `softkey run --transport udp`,
or against the emulated board that `softkey bridge` shows.
Its rig for them is a board that powers and touches a key by HTTP: here that is this script. The same file is the
plugin by which those tests find keys over UDP instead of hidraw. Some of the tests take seconds, since they wait for a person
who may be slow. Usage: python_fido2_device_tests.py PATH-OF-SOFTKEY [FIRMWARE-OF-THE-EMULATED-BOARD]"""

import glob
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
import xml.etree.ElementTree

FOLDER = os.path.dirname(os.path.abspath(__file__))
# So many pass; the others are skipped, since the key does not have what they are about, such as fingers.
# On a board two tests, each with both PIN protocols, lack three algorithms.
EXPECTED, EXPECTED_OF_A_BOARD = 66, 54
# What these expect is not what the standard says.
OTHERWISE = {
    "test_clientpin.py::test_set_and_reset": "expects 0x35 of getPINRetries while there is no PIN, which answers always (CP-05)",
}


def plug_in_over_udp(address, board):
    """Has fido2.hid find the one key at this address, while the board says that it is there."""
    from fido2 import hid
    from fido2.hid.base import CtapHidConnection, HidDescriptor

    host, port = address.removeprefix("udp:").rsplit(":", 1)
    descriptor = HidDescriptor("udp", 0, 0, 64, 64, "softkey", None)

    class Udp(CtapHidConnection):
        def __init__(self):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.connect((host, int(port)))
            # Above the pause between two keepalives, and a word on what hangs.
            self.socket.settimeout(30)

        def read_packet(self):
            return self.socket.recv(64)

        def write_packet(self, data):
            self.socket.send(data)

        def close(self):
            self.socket.close()

    def list_descriptors():
        with urllib.request.urlopen(f"{board}/present") as answer:
            return [descriptor] if json.load(answer) else []

    hid.list_descriptors = list_descriptors
    hid.get_descriptor = lambda _: descriptor
    hid.open_connection = lambda _: Udp()


if "SOFTKEY_ADDRESS" in os.environ:
    plug_in_over_udp(os.environ["SOFTKEY_ADDRESS"], os.environ["SOFTKEY_BOARD"])


class Rig:
    """A key, and what powers and touches it."""

    def __init__(self, folder):
        self.folder = folder
        self.start()
        self.present = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.board = "http://%s:%d" % self.server.server_address

    def show(self, *arguments):
        """Starts the program; where the key is then."""
        self.process = subprocess.Popen(
            [sys.argv[1], *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        ready = next(event for event in map(json.loads, self.process.stdout) if event["event"] == "ready")
        # A pipe that nobody reads fills up.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        device = ready["device"] if "device" in ready else ready["devices"][0]
        return device.replace("udp ", "udp:")

    def start(self):
        self.control_path = os.path.join(self.folder, "control")
        place = ["--transport", "udp", "--listen", "127.0.0.1:0", "--control", self.control_path]
        self.address = self.show("run", *place, "--ephemeral", "--approve", "hold")

    def control(self, *words):
        subprocess.run([sys.argv[1], "control", self.control_path, *words], check=True)

    def obey(self, path):
        match path.split("/")[-2:]:
            case ["touch", "on"]:
                self.control("approve", "auto")
            case ["touch", "off"]:
                self.control("approve", "hold")
            case ["power", "off"]:
                self.present = False
            case ["power", "on"]:
                self.control("replug")
                self.present = True
        return json.dumps(self.present).encode()

    def handler(rig):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answer = rig.obey(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.process.kill()
        self.process.wait()


def quiet_port():
    """A port that is free, and that nobody gets who asks for any port: those are above it."""
    for port in range(20_000 + os.getpid() % 10_000, 32_768):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
            try:
                tried.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise RuntimeError("no port is free")


class Board(Rig):
    """The emulated board, whose button is held whenever it asks."""

    def start(self):
        self.plug_in(f"127.0.0.1:{quiet_port()}")

    def plug_in(self, place):
        board = os.path.join(self.folder, "board")
        self.address = self.show("bridge", board, "--firmware", sys.argv[2], "--listen", place, "--press")

    def obey(self, path):
        match path.split("/")[-2:]:
            case ["power", "off"]:
                self.present = False
                self.process.terminate()
                self.process.wait()
            case ["power", "on"]:
                self.plug_in(self.address.removeprefix("udp:"))
                self.present = True
        return json.dumps(self.present).encode()


def sources(folder):
    """The source package of the version that is installed; the wheel has no tests."""
    version = subprocess.run(
        [sys.executable, "-c", "from importlib.metadata import version; print(version('fido2'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()
    words = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", "fido2"]
    subprocess.run([sys.executable, "-m", "pip", *words, f"fido2=={version}", "-d", folder], check=True)
    shutil.unpack_archive(*glob.glob(os.path.join(folder, "fido2-*.tar.gz")), folder)
    return os.path.join(folder, f"fido2-{version}")


def run(theirs, folder):
    """Runs them all against one key; how many passed."""
    report = os.path.join(folder, "report.xml")
    with (Board if on_a_board() else Rig)(folder) as rig:
        environment = os.environ | {
            "PYTHONPATH": FOLDER,
            "PYTHONDONTWRITEBYTECODE": "1",
            "SOFTKEY_ADDRESS": rig.address,
            "SOFTKEY_BOARD": rig.board,
        }
        plugin = os.path.splitext(os.path.basename(__file__))[0]
        words = ["-m", "pytest", "-q", "-p", plugin, "-p", "no:cacheprovider", "--controller", rig.board, "-rfE"]
        words += [f"--junit-xml={report}", "tests/device"]
        words += [word for test in OTHERWISE for word in ("--deselect", f"tests/device/{test}")]
        try:
            done = subprocess.run(
                [sys.executable, *words], cwd=theirs, env=environment, capture_output=True, text=True, timeout=900
            )
        except subprocess.TimeoutExpired as late:
            # Bytes, whatever was asked for.
            print(((late.stdout or b"") + (late.stderr or b"")).decode(errors="replace")[-8000:], flush=True)
            raise
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
    return sum(len(case) == 0 for case in cases)


def on_a_board():
    return len(sys.argv) > 2


def main():
    for test, why in OTHERWISE.items():
        print(f"python-fido2's {test} is left out: it {why}")
    with tempfile.TemporaryDirectory() as folder:
        passed = run(sources(folder), folder)
    print(f"python-fido2's own tests for keys: {passed} passed", flush=True)
    expected = EXPECTED_OF_A_BOARD if on_a_board() else EXPECTED
    assert passed == expected, f"{expected} should pass"
    print("test result: ok. 1 passed; 0 failed")


if __name__ == "__main__":
    main()
