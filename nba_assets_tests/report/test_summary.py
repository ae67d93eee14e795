"""The slate in some lines of text: every number in them is stored, and who leads is who leads in the tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nba_assets.orchestration.sensors import reading_graph
from nba_assets.report.slate import SlateFacts, gather
from nba_assets.report.summary import PLAYERS_SHOWN, summary
from nba_assets_tests.report.conftest import BOOTSTRAP_DAYS, BuiltLeague


@pytest.fixture(scope="module")
def facts(built_league: BuiltLeague) -> SlateFacts:
    return gather(built_league.warehouse, built_league.last, reading_graph(), BOOTSTRAP_DAYS)


def test_games_are_told_with_their_lines(facts: SlateFacts) -> None:
    told = summary(facts)[1 : 1 + len(facts.games)]
    for line, game in zip(told, facts.games, strict=True):
        assert line.startswith(f"  {game.away.team} at {game.home.team}")
        assert game.home.context is not None
        spread, total = game.home.context["game_spread"], game.home.context["game_total"]
        assert (f"{game.home.team} {spread:+g}" in line) == (spread is not None)
        assert (f"total {total:g}" in line) == (total is not None)


def test_rotation_players_at_both_ends_are_named_with_what_moves_them(facts: SlateFacts) -> None:
    rotation = [player for player in facts.players if player.is_in_rotation]
    rotation.sort(key=lambda player: player.factors["total_composite_adjustment"])
    lines = summary(facts)
    first = next(place for place, line in enumerate(lines) if line.startswith("Most favoured")) + 1
    shown = lines[first : first + 2 * PLAYERS_SHOWN]
    ends = [*rotation[::-1][:PLAYERS_SHOWN], *rotation[:PLAYERS_SHOWN]]
    totals = [float(line.split(")")[1].split()[0]) for line in shown]
    assert totals == pytest.approx([player.factors["total_composite_adjustment"] for player in ends], abs=0.051)
    assert all(any(player.name in line for player in rotation) for line in shown)


def test_expected_failures_are_no_headline(facts: SlateFacts) -> None:
    quiet = replace(
        facts, tables=[replace(state, failures={"INSUFFICIENT_DATA": 2, "STALE_DATA": 1}) for state in facts.tables]
    )
    assert summary(quiet)[-1] == f"No failures; {3 * len(facts.tables)} entities have too few recent games"
    loud = replace(facts, tables=[replace(facts.tables[0], failures={"PROCESSING_ERROR": 2, "INSUFFICIENT_DATA": 1})])
    assert summary(loud)[-1] == (
        f"Failures: 2 in {facts.tables[0].table.name}; see `nba-assets failures --date {facts.day}`. Besides, 1 "
        "entities have too few recent games"
    )


def test_a_date_without_games_is_said(facts: SlateFacts) -> None:
    assert summary(replace(facts, games=[], feature_quality=None))[0].endswith("no games on this date")
