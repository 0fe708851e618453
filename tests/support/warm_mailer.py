"""The mailer command without its second of imports, for a test that types many: each is a fork of this process.

`python warm_mailer.py SOCKET FOLDER` imports the package in FOLDER and waits. Whoever connects sends arguments, working
directory and environment, with the three standard files; the fork runs the command in them and answers with its exit
code.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CLIENT = """\
#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] == ["serve"]:  # it gets its signals itself
    os.execv("{python}", ["{python}", "-c", "{run}", *sys.argv[1:]])
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
    line.connect("{at}")
    socket.send_fds(line, [json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()], [0, 1, 2])
    sys.exit(int(line.recv(9) or 70))
"""


@dataclass(frozen=True)
class CommandResult:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


class WarmMailer:
    """Such a process of the checkout in a folder, for as long as this one lives."""

    def __init__(self, checkout: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="warm")
        self._at = f"{self._folder.name}/door"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
        command = [sys.executable, "-m", "tests.support.warm_mailer", self._at, str(checkout)]
        self._process = subprocess.Popen(command, cwd=checkout, env=clean, stdout=subprocess.PIPE)
        atexit.register(self.close)
        if self._process.stdout is None or self._process.stdout.readline() != b"ready\n":
            raise ChildProcessError("the package cannot be imported")

    def __call__(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: bytes = b""
    ) -> CommandResult:
        """Run `mailer WORDS` there; TimeoutError after a minute."""
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            tempfile.TemporaryFile() as given,
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line,
        ):
            given.write(stdin)
            given.seek(0)
            line.settimeout(60)
            line.connect(self._at)
            message = json.dumps([["mailer", *words], str(folder), dict(environment)]).encode()
            socket.send_fds(line, [message], [given.fileno(), out.fileno(), err.fileno()])
            code = int(line.recv(9) or 70)
            out.seek(0)
            err.seek(0)
            return CommandResult(code, out.read().decode(), err.read().decode())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()


@cache
def warm_mailer() -> WarmMailer:
    """The one of this checkout."""
    return WarmMailer(Path(__file__).parents[2])


def serve_forks(at: str) -> None:
    """Fork for each that comes, until this process is ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(at)
        door.listen()
        os.write(1, b"ready\n")
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                _run_request(line)
            line.close()


def _run_request(line: socket.socket) -> None:
    message, files, _, _ = socket.recv_fds(line, 2**18, 3)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv, folder, environment = json.loads(message)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code: object = 1
    try:
        command()
    except SystemExit as end:
        code = end.code
    except Exception:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:  # a command may have closed it, as at the end of a process
                stream.flush()
        line.send(str(code if isinstance(code, int) else int(code is not None)).encode())
        os._exit(0)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[2])
    import mailer.actions.campaigns.preview
    import mailer.actions.campaigns.report
    import mailer.actions.imports.import_people
    import mailer.actions.inbound.explain_mail
    import mailer.bootstrap
    import mailer.demo.story
    import mailer.store.migration  # noqa: F401 (all of them to be there when the fork needs them)
    from mailer.cli.main import command

    serve_forks(sys.argv[1])
