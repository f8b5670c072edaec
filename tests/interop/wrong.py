"""What the scripts of relying parties share: options and responses go through `softkey create` and `softkey get`, and for
each wrong way it is told whether the relying party refused it."""

import json
import os
import subprocess
import sys

ORIGIN = "https://login.example.org"
RP_ID = "example.org"


def softkey(*arguments, text="", environment=None):
    done = subprocess.run(
        [sys.argv[1], *arguments],
        input=text,
        capture_output=True,
        text=True,
        env=os.environ | (environment or {}),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def wrong(ceremony, way, options):
    return softkey(ceremony, "--origin", ORIGIN, "--wrong", way, text=options)


def ways(ceremony):
    """The names of the wrong ways; the first one, "nothing", is right."""
    arguments = [sys.argv[1], ceremony, "--json", "--origin", ORIGIN, "--wrong", "?"]
    options = {"challenge": "", "rp": {"name": ""}, "user": {"id": "AQ", "name": "", "displayName": ""}}
    options |= {"pubKeyCredParams": [], "allowCredentials": []}
    done = subprocess.run(arguments, input=json.dumps(options), capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    return json.loads(done.stderr)["error"]["try"].split(", ")


def judge(library, verdicts, known):
    """Prints what was accepted; `known` are the findings that README.md tells."""
    accepted = {way for way, refused in verdicts.items() if not refused}
    for way, refused in verdicts.items():
        print(f"{library}: {way}: {'refused' if refused else 'ACCEPTED'}")
    assert accepted == known, f"accepted {accepted}, and README.md has {known}"
