"""The command `nba-assets` in a process of its own, forked from one that has imported everything.

Nothing but the imports, two seconds of CPU, differs from the installed command.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from nba_assets.settings import variables

TIMEOUT_SECONDS = 300
PROCESSES = multiprocessing.get_context("forkserver")


def completed(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in `folder`; subprocess.TimeoutExpired where it takes minutes.

    ValueError for an environment that names the first partition, which is read when modules are imported.
    """
    if variables()["first_date"] in environment:
        raise ValueError("the first partition is read when modules are imported: start a process of its own")
    PROCESSES.set_forkserver_preload(["nba_assets.cli", "nba_assets.definitions"])
    with tempfile.TemporaryDirectory() as printed:
        outputs = [Path(printed, name) for name in ("stdout", "stderr")]
        process = PROCESSES.Process(target=_run, args=(list(arguments), dict(environment), folder, outputs))
        process.start()
        process.join(TIMEOUT_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(list(arguments), TIMEOUT_SECONDS)
        stdout, stderr = (file.read_text() for file in outputs)
        return subprocess.CompletedProcess(list(arguments), process.exitcode, stdout, stderr)


def _run(arguments: list[str], environment: dict[str, str], folder: Path, outputs: Sequence[Path]) -> None:
    for descriptor, file in enumerate(outputs, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["nba-assets", *arguments]
    from nba_assets.cli import main

    main()
