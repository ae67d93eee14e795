"""The command line with a player whose computation never ends, as a module to run in place of `nba-assets`.

HANGING_PLAYER names him, AT_WORK a file that his computation makes. A module of its own, so that worker processes find
what is computed.
"""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from typing import Any

from nba_assets.analytics import player_game_summary
from nba_assets.entities import parallel
from nba_assets.settings import Backend

REAL = player_game_summary.compute


def compute(requested: Any, histories: Any, shared: Any = None) -> Any:
    """The real rows, of everyone but him."""
    if os.environ["HANGING_PLAYER"] in requested["player_lookup"]:
        Path(os.environ["AT_WORK"]).touch()
        while True:
            time.sleep(0.01)
    return REAL(requested, histories, shared)


def main() -> None:
    """The command `nba-assets`."""
    from nba_assets import cli

    # The work of one date is not worth a second worker; here it is, so that a worker hangs.
    parallel.WORTH_A_WORKER = dict.fromkeys(Backend, 1)
    # That of the module under its own name, which worker processes find: here it is `__main__`.
    player_game_summary.compute = importlib.import_module("nba_assets_tests.orchestration.hanging").compute
    cli.main()


if __name__ == "__main__":
    main()
