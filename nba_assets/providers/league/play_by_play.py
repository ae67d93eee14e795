"""The league's play-by-play (live feed, PlayByPlay V3 of the statistics site) as rows of the raw play-by-play, one per
action of the file.

A block or a steal is an action of its own in both; it is also named on the shot or the turnover, as the second player.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nba_assets.providers.delivery import ProviderError, Row
from nba_assets.providers.games import Game
from nba_assets.providers.people import GamePeople, Person
from nba_assets.raw.tables import PLAY_BY_PLAY

Action = Mapping[str, Any]

SECOND_PLAYERS = {
    "assist": "assistPersonId",
    "block": "blockPersonId",
    "steal": "stealPersonId",
    "foul_drawn": "foulDrawnPersonId",
    "jump_ball_lost": "jumpBallLostPersonId",
}
"""Where the live feed names the second player of an action, by the part that he has."""
LIVE_SHOTS = {"2pt": "2PT", "3pt": "3PT"}
FREE_THROW_KINDS = ("technical", "flagrant", "clear path")

_ASSIST = re.compile(r"\(([^()]+?) \d+ AST\)")
_SUBSTITUTION = re.compile(r"SUB: (.+) FOR (.+)")


def live_events(payload: Mapping[str, Any], game: Game, people: GamePeople) -> list[Row]:
    """From the live feed."""
    return [_live_event(action, game, people) for action in _actions(payload)]


def statistics_events(payload: Mapping[str, Any], game: Game, people: GamePeople) -> list[Row]:
    """From PlayByPlay V3, where a block has the number of its shot and a steal that of its turnover; events are
    numbered by `actionId`.
    """
    actions = _actions(payload)
    taken = {action["actionNumber"]: (kind, action) for action in actions if (kind := _added_to_another(action))}
    return [_statistics_event(action, taken.get(action["actionNumber"]), game, people) for action in actions]


def _actions(payload: Mapping[str, Any]) -> Sequence[Action]:
    """The actions of a game; raises ProviderError where there are none, as of games for which the site has an empty
    answer.
    """
    actions: Sequence[Action] = payload["game"]["actions"]
    if not actions:
        raise ProviderError("it has no actions")
    return actions


def _live_event(action: Action, game: Game, people: GamePeople) -> Row:
    kind = action["actionType"]
    is_shot = kind in LIVE_SHOTS
    # The winner of a jump ball is named beside the action, like the others who have a part in it.
    first = people.by_id(
        action["jumpBallWonPersonId"]
        if kind == "jumpball" and action.get("jumpBallWonPersonId")
        else action["personId"]
    )
    role, second = next(
        ((role, people.by_id(action[name])) for role, name in SECOND_PLAYERS.items() if action.get(name)), (None, None)
    )
    return {
        **_columns(game, action, action.get("orderNumber", action["actionNumber"]), "cdn"),
        **_players(first, second, role, action.get("teamTricode")),
        "event_type": kind,
        "event_subtype": _live_free_throw(action) if kind == "freethrow" else action.get("subType"),
        "shot_made": action["shotResult"] if is_shot else None,
        "shot_type": LIVE_SHOTS.get(kind),
        "shot_distance": action.get("shotDistance") if is_shot else None,
        "loc_x": action.get("xLegacy") if is_shot else None,
        "loc_y": action.get("yLegacy") if is_shot else None,
        "shot_zone": action.get("area") if is_shot else None,
        "points_scored": int(action["shotResult"] == "Made") if kind == "freethrow" else None,
    }


def _live_free_throw(action: Action) -> str:
    descriptor = action.get("descriptor") or ""
    kind = next((kind for kind in FREE_THROW_KINDS if descriptor.startswith((kind, kind.replace(" ", "")))), None)
    return " ".join(filter(None, ("free throw", kind, action["subType"])))


def _statistics_event(action: Action, taken: tuple[str, Action] | None, game: Game, people: GamePeople) -> Row:
    team = {"h": game.home, "v": game.away}.get(action["location"])
    kind, is_shot = action["actionType"], bool(action["isFieldGoal"])
    role, second = _statistics_second(action, taken, team, people)
    return {
        **_columns(game, action, action["actionId"], "stats"),
        **_players(people.by_id(action["personId"]), second, role, team),
        "event_type": _added_to_another(action) or kind or "other",
        "event_subtype": action["subType"] or None,
        "shot_made": action["shotResult"] if is_shot else None,
        "shot_type": f"{action['shotValue']}PT" if is_shot else None,
        "shot_distance": action["shotDistance"] if is_shot else None,
        "loc_x": action["xLegacy"] if is_shot else None,
        "loc_y": action["yLegacy"] if is_shot else None,
        "points_scored": int(not action["description"].startswith("MISS")) if kind == "Free Throw" else None,
    }


def _added_to_another(action: Action) -> str | None:
    """What an action without a type is: a block or a steal, by its description."""
    if action["actionType"]:
        return None
    return next((kind for kind in ("block", "steal") if f" {kind.upper()} (" in action["description"]), None)


def _statistics_second(
    action: Action, taken: tuple[str, Action] | None, team: str | None, people: GamePeople
) -> tuple[str | None, Person | None]:
    if taken is not None and taken[1] is not action:
        return taken[0], people.by_id(taken[1]["personId"])
    if team is not None and action["isFieldGoal"] and (assist := _ASSIST.search(action["description"])):
        return "assist", people.by_short_name(team, assist[1])
    if team is not None and (exchange := _SUBSTITUTION.fullmatch(action["description"])):
        return "substitution_in", people.by_short_name(team, exchange[1])
    return None, None


def _columns(game: Game, action: Action, sequence: int, source: str) -> Row:
    home, away = (
        int(score) if (score := action[name]) not in (None, "") else None for name in ("scoreHome", "scoreAway")
    )
    return {
        **game.columns(PLAY_BY_PLAY),
        "event_sequence": sequence,
        "period": action["period"],
        "game_clock_seconds": action["clock"],
        "score_home": home,
        "score_away": away,
        "source": source,
    }


def _players(first: Person | None, second: Person | None, role: str | None, team: str | None) -> Row:
    return {
        "player_1_lookup": None if first is None else first.lookup,
        "player_1_id": None if first is None else first.player_id,
        "player_1_team_abbr": team or (None if first is None else first.team),
        "player_2_lookup": None if second is None else second.lookup,
        "player_2_id": None if second is None else second.player_id,
        "player_2_role": role,
    }
