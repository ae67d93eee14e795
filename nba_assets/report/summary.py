"""The slate of a date in some fifteen lines of text: games, the largest composite adjustments of rotation players, the
quality of the features.
"""

from __future__ import annotations

from collections.abc import Iterator

from nba_assets.pictures.canvas import day_text
from nba_assets.report.slate import Game, Player, SlateFacts
from nba_assets.tables.bookkeeping import EXPECTED_FAILURES
from nba_assets.tables.remarks import COMPOSITE_WORTH
from nba_assets.wording import counted

PLAYERS_SHOWN = 3
"""At either end of the composite adjustment."""
LEAST_PART = 0.3
"""Points from which a factor is named as a reason."""
FACTOR_WORDS = {"fatigue": "fatigue", "mismatch": "shot zones", "pace": "pace", "usage": "usage"}


def summary(slate: SlateFacts) -> list[str]:
    """The lines, in the order in which they are read."""
    return list(_lines(slate))


def _lines(slate: SlateFacts) -> Iterator[str]:
    games = len(slate.games)
    played = counted(games, "game") if games else "no games on this date"
    yield f"{day_text(slate.day)}: {played}"
    yield from (_game_line(game) for game in slate.games)
    rotation = sorted(
        (player for player in slate.players if player.is_in_rotation),
        key=lambda player: -player.factors["total_composite_adjustment"],
    )
    if rotation:
        yield f"Composite adjustment in points, {COMPOSITE_WORTH}."
        yield "Most favoured and most hindered of the rotation players:"
        yield from map(_player_line, [*rotation[:PLAYERS_SHOWN], *rotation[-PLAYERS_SHOWN:][::-1]])
    if slate.feature_quality is not None:
        ready = [player.features["is_production_ready"] for player in slate.players if player.features is not None]
        yield (
            f"Features: {len(ready)} players, mean quality {slate.feature_quality:.0f} of 100, {sum(ready)} ready "
            "for production"
        )
    yield _failures_line(slate)


def _game_line(game: Game) -> str:
    home = game.home.context
    spread, total = (None, None) if home is None else (home["game_spread"], home["game_total"])
    lines = [
        f"{game.home.team} {spread:+g}" if spread is not None else "",
        f"total {total:g}" if total is not None else "",
    ]
    return (
        f"  {game.away.team} at {game.home.team}  {game.eastern_tip:<12}  "
        f"{', '.join(filter(None, lines)) or 'no lines yet'}"
    )


def _player_line(player: Player) -> str:
    who = f"{player.name} ({player.context['team_abbr']})"
    return f"  {who:<32} {player.factors['total_composite_adjustment']:+.1f}{_reasons(player)}"


def _reasons(player: Player) -> str:
    parts = sorted(player.contributions.items(), key=lambda part: -abs(part[1]))
    named = [f"{FACTOR_WORDS[name]} {points:+.1f}" for name, points in parts if abs(points) >= LEAST_PART]
    return f"  {', '.join(named)}" if named else ""


def _failures_line(slate: SlateFacts) -> str:
    expected = f"{slate.expected_count} entities have too few recent games" if slate.expected_count else ""
    if not slate.failure_count:
        return f"No failures{f'; {expected}' if expected else ''}"
    failed = {
        state.table.name: sum(count for name, count in state.failures.items() if name not in EXPECTED_FAILURES)
        for state in slate.tables
    }
    named = ", ".join(f"{count} in {name}" for name, count in failed.items() if count)
    return (
        f"Failures: {named}; see `nba-assets failures --date {slate.day}`{f'. Besides, {expected}' if expected else ''}"
    )
