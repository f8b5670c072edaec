#!/usr/bin/python3
"""Types answers at a program's terminal.

    answer.py PROMPT ANSWER [PROMPT ANSWER]... -- COMMAND [ARGUMENT]...

Runs COMMAND with a terminal of its own, where programs ask for PINs whatever their standard input is. Each time the text
PROMPT appears there, types ANSWER and a return; then waits for the next prompt. Standard input, output and error are
left alone. Exits as COMMAND does, or with 99 when it ended before it had asked for everything.
"""

import fcntl
import os
import pty
import sys
import termios


def main():
    split = sys.argv.index("--")
    words, command = sys.argv[1:split], sys.argv[split + 1 :]
    script = list(zip(words[::2], words[1::2]))

    ours, theirs = pty.openpty()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        os.close(ours)
        # Kept open by the program: a terminal that nobody has open looks as if it were done with.
        os.set_inheritable(theirs, True)
        os.execvp(command[0], command)
    os.close(theirs)

    said = ""
    while text := read(ours):
        sys.stderr.write(text)
        said += text
        while script and script[0][0] in said:
            prompt, answer = script.pop(0)
            said = said.split(prompt, 1)[1]
            os.write(ours, answer.encode() + b"\n")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if script:
        print(f"answer.py: never asked: {[prompt for prompt, _ in script]}", file=sys.stderr)
        code = code or 99
    sys.exit(code if code >= 0 else 128 - code)


def read(terminal):
    """What was written to the terminal; nothing once every program has closed it."""
    try:
        return os.read(terminal, 1024).decode(errors="replace")
    except OSError:
        return ""


main()
