"""The software key of Yubico's python-u2flib-host, which speaks U2F alone, at the end of a pipe; see
foreign_authenticators.py. What it raises becomes the status words of the standard. It does not look at the control byte, and
signs where it is only asked whether it knows a handle: that answer becomes the standard's, which means yes."""

import os
import tempfile
import warnings

from u2flib_host import exc
from u2flib_host.soft import SoftU2FDevice

from ctaphid import serve_lines

VERSION, AUTHENTICATE, CHECK_ONLY = 0x03, 0x02, 0x07


def parts(apdu):
    """Instruction, parameters and data of an APDU in extended form."""
    ins, p1, p2 = apdu[1:4]
    length = int.from_bytes(apdu[5:7], "big") if len(apdu) > 7 else 0
    return ins, p1, p2, apdu[7 : 7 + length]


def answer(_, apdu):
    ins, p1, p2, data = parts(apdu)
    try:
        if ins == VERSION:
            # The one thing that the library does not take as an APDU.
            return key.get_supported_versions()[0].encode() + b"\x90\x00"
        signed = key.send_apdu(ins, p1, p2, data)
        checked = (ins, p1) == (AUTHENTICATE, CHECK_ONLY)
        return b"\x69\x85" if checked else signed + b"\x90\x00"
    except exc.APDUError as error:
        return error.code.to_bytes(2, "big")
    except ValueError:
        return b"\x6a\x80"


warnings.simplefilter("ignore")
with tempfile.TemporaryDirectory() as folder:
    key = SoftU2FDevice(os.path.join(folder, "keys"))
    serve_lines(answer)
