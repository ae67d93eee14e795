"""Who belongs to which team on a date, by the latest roster snapshots: the players who get pregame rows of a game.

Never from the box score of the date itself: who played is not known before the game.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.season import SeasonCalendar, season_year
from nba_assets.entities.completeness import OLDEST_SNAPSHOT_DAYS
from nba_assets.entities.outcomes import concatenate, take
from nba_assets.entities.relations import at, find, within
from nba_assets.tables.spec import Columns

ROSTER_COLUMNS = ("roster_date", "season_year", "team_abbr", "player_lookup", "player_full_name", "age", "birth_date")
FALLBACK_DAYS = 30
MEMBER_COLUMNS = ("game_date", "team_abbr", "player_lookup", "player_full_name", "roster_date", "age", "birth_date")


def with_seasons(rosters: Columns, calendar: SeasonCalendar) -> dict[str, NDArray[Any]]:
    """Snapshots with the season of each, for feeds that do not name it: the one that is played on its date, else that
    of the month.
    """
    known = ~np.isnan(rosters["season_year"])
    if known.all():
        return dict(rosters)
    return {
        **rosters,
        "season_year": np.where(known, rosters["season_year"], calendar.season_during(rosters["roster_date"])),
    }


def members(requested: Columns, rosters: Columns, sheets: Columns) -> dict[str, NDArray[Any]]:
    """One row per player and date that he belongs to a team playing on it: `MEMBER_COLUMNS` and `is_shared`.

    `requested` are the scheduled teams (`game_date`, `team_abbr`, `season_year`, `season_start`); `rosters` the
    snapshots; `sheets` rows of player_game_summary (`player_lookup`, `game_date`, `team_abbr`). A player on the latest
    snapshots of two teams belongs to the newer one, also when that team is idle, and on a tie to the team of his newest
    sheet row; but two players of one key, known by their dates of birth, stay with their teams and are marked as
    `is_shared`. A team without any snapshot gets the players seen with it in the last 30 days; `roster_date` is NaT
    then.
    """
    listed = _latest_snapshots(requested, rosters)
    listed["is_shared"] = _share_a_key(listed).astype(np.float64)
    since = at(requested["season_start"], find((listed["game_date"],), (requested["game_date"],)))
    last_team = _last_teams(listed["game_date"], listed["player_lookup"], sheets, since)
    order = np.lexsort(
        [listed["team_abbr"].astype(str), last_team != listed["team_abbr"], -listed["roster_date"].astype(np.int64)]
    )
    first = (
        ~pd.DataFrame({"day": listed["game_date"][order], "player": listed["player_lookup"][order]})
        .duplicated()
        .to_numpy()
    )
    first |= listed["is_shared"][order] == 1
    belongs = take(listed, np.sort(order[first]))
    plays = find((belongs["game_date"], belongs["team_abbr"]), (requested["game_date"], requested["team_abbr"])) >= 0
    covered = find((requested["game_date"], requested["team_abbr"]), (listed["game_date"], listed["team_abbr"])) >= 0
    return concatenate([take(belongs, plays), _seen_lately(take(requested, ~covered), belongs, sheets)])


def _latest_snapshots(requested: Columns, rosters: Columns) -> dict[str, NDArray[Any]]:
    """The rows of every team's latest snapshot of the season, for each date with games; teams that are idle on it
    included.
    """
    own_season = np.where(np.isnan(rosters["season_year"]), season_year(rosters["roster_date"]), rosters["season_year"])
    days, places = np.unique(requested["game_date"], return_index=True)
    seasons = requested["season_year"][places]
    frame = pd.DataFrame(
        {
            "team": rosters["team_abbr"],
            "season": own_season,
            "date": rosters["roster_date"],
            "row": np.arange(len(own_season)),
        }
    )
    parts: list[dict[str, NDArray[Any]]] = []
    for (_, season), mine in frame.sort_values(["team", "season", "date", "row"]).groupby(
        ["team", "season"], sort=True
    ):
        dated = days[seasons == season]
        dates, starts = np.unique(mine["date"].to_numpy().astype("M8[D]"), return_index=True)
        stops = np.append(starts[1:], len(mine))
        newest = np.searchsorted(dates, dated, side="right") - 1
        fresh = (newest >= 0) & (dated - dates[np.maximum(newest, 0)] <= np.timedelta64(OLDEST_SNAPSHOT_DAYS, "D"))
        newest, dated = newest[fresh], dated[fresh]
        sizes = stops[newest] - starts[newest]
        within_part = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows = mine["row"].to_numpy()[np.repeat(starts[newest], sizes) + within_part]
        parts.append(
            {"game_date": np.repeat(dated, sizes), **take({name: rosters[name] for name in MEMBER_COLUMNS[1:]}, rows)}
        )
    return concatenate(parts) if parts else _no_members()


def _share_a_key(listed: Columns) -> NDArray[np.bool_]:
    """Rows of several players with one key on one date: they were not born on the same day."""
    frame = pd.DataFrame({name: listed[name] for name in ("game_date", "player_lookup", "birth_date")})
    repeated = frame.duplicated(["game_date", "player_lookup"], keep=False).to_numpy()
    shared = np.zeros(len(repeated), dtype=bool)
    if repeated.any():
        births = frame[repeated].groupby(["game_date", "player_lookup"])["birth_date"].transform("nunique")
        shared[repeated] = births.to_numpy() > 1
    return shared


def _last_teams(
    days: NDArray[np.datetime64], players: NDArray[np.object_], sheets: Columns, since: NDArray[np.datetime64]
) -> NDArray[np.object_]:
    """Team of each player's newest sheet row before each day, not before the first day `since` of its season; None
    where there is none.
    """
    left = pd.DataFrame({"day": days.astype("M8[ns]"), "player": players, "place": np.arange(len(days))}).sort_values(
        "day", kind="stable"
    )
    played = sheets["game_date"].astype("M8[ns]")
    right = pd.DataFrame(
        {"day": played, "player": sheets["player_lookup"], "team": sheets["team_abbr"], "played": played}
    )
    right = right.sort_values("day", kind="stable")
    joined = pd.merge_asof(left, right, on="day", by="player", allow_exact_matches=False)
    teams = np.full(len(days), None, dtype=object)
    place = joined["place"].to_numpy()
    known = joined["team"].notna().to_numpy() & (joined["played"].to_numpy() >= since[place])
    teams[place[known]] = joined["team"].to_numpy(dtype=object)[known]
    return teams


def _seen_lately(requested: Columns, belongs: Columns, sheets: Columns) -> dict[str, NDArray[Any]]:
    """For teams without a snapshot: players whose newest sheet row of the last 30 days is with the team and who are on
    nobody else's roster.
    """
    parts: list[dict[str, NDArray[Any]]] = []
    for day, team, since in zip(requested["game_date"], requested["team_abbr"], requested["season_start"], strict=True):
        recent = (sheets["game_date"] < day) & (
            sheets["game_date"] >= max(day - np.timedelta64(FALLBACK_DAYS, "D"), since)
        )
        players = np.unique(sheets["player_lookup"][recent & (sheets["team_abbr"] == team)].astype(str)).astype(object)
        newest = _last_teams(np.full(len(players), day), players, sheets, np.full(len(players), since))
        elsewhere = within(players, belongs["player_lookup"][belongs["game_date"] == day])
        mine = players[(newest == team) & ~elsewhere]
        parts.append(
            _no_members(len(mine))
            | {
                "game_date": np.full(len(mine), day),
                "team_abbr": np.full(len(mine), team, dtype=object),
                "player_lookup": mine,
            }
        )
    return concatenate(parts) if parts else _no_members()


def _no_members(size: int = 0) -> dict[str, NDArray[Any]]:
    nowhere, nobody = np.full(size, "NaT", dtype="M8[D]"), np.full(size, None, dtype=object)
    return {
        "game_date": nowhere.copy(),
        "team_abbr": nobody.copy(),
        "player_lookup": nobody.copy(),
        "player_full_name": nobody.copy(),
        "roster_date": nowhere.copy(),
        "age": np.full(size, np.nan),
        "birth_date": nowhere.copy(),
        "is_shared": np.zeros(size),
    }
