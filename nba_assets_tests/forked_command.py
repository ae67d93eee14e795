"""The command `nba-assets` in a process of its own, forked from one that has imported everything.

Nothing but the imports, two seconds of CPU, differs from the installed command. What forks is not the server of
`multiprocessing`, which belongs to the workers of the pipeline.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from nba_assets.settings import variables

TIMEOUT_SECONDS = 300


def completed(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in `folder`; subprocess.TimeoutExpired where it takes minutes.

    ValueError for an environment that names the first partition, which is read when modules are imported.
    """
    if variables()["first_date"] in environment:
        raise ValueError("the first partition is read when modules are imported: start a process of its own")
    server = _server()
    assert server.stdin
    assert server.stdout
    with tempfile.TemporaryDirectory() as printed:
        outputs = [Path(printed, name) for name in ("stdout", "stderr")]
        request = [list(arguments), dict(environment), str(folder), [str(file) for file in outputs]]
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], TIMEOUT_SECONDS)[0]:
            raise subprocess.TimeoutExpired(list(arguments), TIMEOUT_SECONDS)
        exit_code = int(server.stdout.readline())
        stdout, stderr = (file.read_text() for file in outputs)
    return subprocess.CompletedProcess(list(arguments), exit_code, stdout, stderr)


@cache
def _server() -> subprocess.Popen[str]:
    """This process's server, which ends with it."""
    command = [sys.executable, "-m", __name__]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)
    return server


def _serve() -> None:
    """Fork for each request, a line of JSON; answer with the exit code of the child, which runs the command."""
    import nba_assets.definitions  # noqa: F401 - what forks has imported it, what only requests has no need to
    from nba_assets.cli import main

    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            _become(*json.loads(line))
            os._exit(_ended(main))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _ended(main: Callable[[], None]) -> int:
    """The exit code of the command; to release what the server has imported would take as long as to import it."""
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _become(arguments: list[str], environment: dict[str, str], folder: str, outputs: list[str]) -> None:
    """Turn this process into one that the command was started in."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, file in enumerate(outputs, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["nba-assets", *arguments]


if __name__ == "__main__":
    _serve()
