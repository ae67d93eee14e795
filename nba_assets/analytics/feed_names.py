"""The feeds that name players, under the keys that the players have in the tables; and a record of the names that match
no player.

What a table reads of a feed with names it reads through a `FeedNames` of its run. Keys of
players come from `people`; names within a game are matched in `name_matching`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics.name_matching import NOBODY, SEVERAL, Listed, match
from nba_assets.analytics.people import People, shared_key_failures
from nba_assets.analytics.props import PROP_COLUMNS
from nba_assets.analytics.rosters import with_seasons
from nba_assets.entities.outcomes import concatenate, take
from nba_assets.entities.relations import find, text_where, within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import INJURY_REPORT, PLAY_BY_PLAY, PLAYER_BOXSCORES, PLAYER_POINTS_PROPS, ROSTERS, RawTable
from nba_assets.tables.bookkeeping import UNMATCHED_NAMES
from nba_assets.tables.spec import Columns, Notice

NAMES_MATCHED = Notice(
    "names_matched",
    (
        "Every name in the feeds matches one player, or a known player who is not listed for the game; see "
        "nba_processing.unmatched_names"
    ),
)
"""Notice of a table that records the names that match no player."""

NOT_LISTED = "not_listed"
PROP_TEAMS = ("home_team_abbr", "away_team_abbr")


@dataclass(frozen=True, eq=False)
class FeedNames:
    """The names in the feeds of one run."""

    run: TableRun
    people: People
    unmatched: list[Columns] = field(default_factory=list)
    """Rows of `UNMATCHED_NAMES`, without stamps."""

    @classmethod
    def of(cls, run: TableRun) -> FeedNames:
        """For the run of a table.

        One that declares `NAMES_MATCHED` replaces what its dates have on record, if by nothing.
        """
        names = cls(run, People.of(run))
        if NAMES_MATCHED in run.table.notices:
            run.records.append((UNMATCHED_NAMES, names.unmatched))
        return names

    def sheets(
        self, book: dict[str, NDArray[Any]], box: dict[str, NDArray[Any]]
    ) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """The official sheets and the box scores of games, a player under one key in both; each of them names a player
        of a game once.
        """
        book, box = self.keyed(book), self.keyed(box)
        found = match(self._listed(box, "game_id"), self._listed(book, "game_id"), complete=True)
        return book, box | {"player_lookup": found.keys}

    def keyed(self, rows: dict[str, NDArray[Any]], *, teams: Sequence[str] = ("team_abbr",)) -> dict[str, NDArray[Any]]:
        """Rows of a feed with a `game_date`, under the keys that the registry of its season gives."""
        return rows | {"player_lookup": self.people.keys(rows, self._seasons(rows), teams=teams)}

    def reports_on_starters(self, columns: Sequence[str], starts: Columns, games: Columns) -> dict[str, NDArray[Any]]:
        """The same for a table that knows of each team's players only who has started for it before: `starts`, one row
        per start, and the teams' `games`.
        """
        first = (
            pd.DataFrame({name: starts[name] for name in ("team_abbr", "player_lookup", "game_date")})
            .groupby(["team_abbr", "player_lookup"])
            .min()
        )
        played = pd.DataFrame({name: games[name] for name in ("game_date", "team_abbr")})
        listed = played.merge(first.rename(columns={"game_date": "since"}).reset_index(), on="team_abbr")
        listed = listed[listed["since"] < listed["game_date"]]
        players = {name: listed[name].to_numpy(dtype=object) for name in ("team_abbr", "player_lookup")}
        return self.reports(columns, players | {"game_date": listed["game_date"].to_numpy().astype("M8[D]")})

    def without_shared(
        self, rows: dict[str, NDArray[Any]], shown: Sequence[str]
    ) -> tuple[dict[str, NDArray[Any]], Columns]:
        """Rows of players (`game_date`, `player_lookup`) without those of persons whom nothing distinguishes, and a
        failure record for each key of these.

        Such are keys that the registry lists for several persons, and rows that say so themselves (`is_shared`, as in
        `rosters.members`). The record names what the columns `shown` hold in their rows.
        """
        shared = self.people.is_shared(rows["player_lookup"], self._seasons(rows)) | (
            rows.get("is_shared", np.zeros(len(rows["game_date"]))) == 1
        )
        rows = {name: values for name, values in rows.items() if name != "is_shared"}
        return (take(rows, ~shared), shared_key_failures(take(rows, shared), shown)) if shared.any() else (rows, {})

    def box(self, columns: Sequence[str], **where: bool) -> dict[str, NDArray[Any]]:
        """Columns of the season's box scores (of the rows that have the given values), under the keys that its registry
        gives.
        """
        box = self.run.read(
            PLAYER_BOXSCORES.table, identifying(PLAYER_BOXSCORES, columns), start=self.run.season_start, where=where
        )
        return self.keyed(box)

    def rosters(self, columns: Sequence[str], start: date) -> dict[str, NDArray[Any]]:
        """Columns of the roster snapshots from a date on, under the keys that the registry of their season gives."""
        rosters = with_seasons(
            self.run.read(ROSTERS.table, identifying(ROSTERS, columns), start=start), self.run.calendar
        )
        return rosters | {"player_lookup": self.people.keys(rosters, rosters["season_year"], name="player_full_name")}

    def props(self, players: Columns) -> dict[str, NDArray[Any]]:
        """The points props of the run's dates, under the keys of the two teams' players.

        `players` has a row per player and date: `game_date`, `team_abbr`, `player_lookup` and, where known,
        `player_full_name`.
        """
        props = self.run.read(PLAYER_POINTS_PROPS.table, identifying(PLAYER_POINTS_PROPS, (*PROP_COLUMNS, *PROP_TEAMS)))
        return self._matched(PLAYER_POINTS_PROPS, props, players, PROP_TEAMS)

    def reports(self, columns: Sequence[str], players: Columns) -> dict[str, NDArray[Any]]:
        """Columns of the injury reports for the run's dates, under the keys of the `players` of the report's team, as
        in `props`.
        """
        reports = self.run.read(INJURY_REPORT.table, identifying(INJURY_REPORT, columns))
        return self._matched(INJURY_REPORT, reports, players, ("team",))

    def events(self, columns: Sequence[str], kinds: Sequence[str], sheets: Columns) -> dict[str, NDArray[Any]]:
        """Columns of the play-by-play events of some kinds, under the keys of the players on their games' `sheets`.

        `sheets` has a row per player and game: `game_id`, `team_abbr`, `player_lookup` and, where known,
        `player_full_name` and `player_id`. Who did it is looked for in his own team, who blocked it in both.
        """
        ids = [name for name in ("game_date", "player_1_id", "player_2_id") if name in PLAY_BY_PLAY.table.column_names]
        events = self.run.read(PLAY_BY_PLAY.table, tuple(dict.fromkeys((*columns, *ids))), where={"event_type": kinds})
        blocks = np.flatnonzero(events["player_2_role"] == "block")
        doers = _named(events, 1) | {"team_abbr": events["player_1_team_abbr"]}
        blockers = take(_named(events, 2), blocks) | {"team_abbr": np.full(len(blocks), None, dtype=object)}
        keys = self._matched(
            PLAY_BY_PLAY, concatenate([doers, blockers]), sheets, ("team_abbr",), scope="game_id", complete=True
        )["player_lookup"]
        second = events["player_2_lookup"].copy()
        second[blocks] = keys[len(doers["game_id"]) :]
        return events | {"player_1_lookup": keys[: len(doers["game_id"])], "player_2_lookup": second}

    def _matched(
        self,
        raw: RawTable,
        rows: dict[str, NDArray[Any]],
        players: Columns,
        teams: Sequence[str],
        scope: str = "game_date",
        complete: bool = False,
    ) -> dict[str, NDArray[Any]]:
        """Rows of a feed under the keys of the players that it means; who is meant by no row is put on record."""
        if (
            pd.isna(rows["player_lookup"])
            | (find((rows[scope], rows["player_lookup"]), (players[scope], players["player_lookup"])) >= 0)
        ).all():
            return rows
        rows = self.keyed(rows, teams=teams)
        listed = self._listed(players, scope, name="player_full_name")
        found = match(self._listed(rows, scope, teams=teams), listed, complete=complete)
        if NAMES_MATCHED in self.run.table.notices:
            # A game or date of which nobody is listed at all is not a matter of names.
            places = np.flatnonzero(~pd.isna(found.reasons))
            places = places[within(rows[scope][places], listed.scope)]
            if len(places):
                self._record(raw, take(rows, places), take(vars(found), places), listed.keys, teams)
        return rows | {"player_lookup": found.keys}

    def _listed(
        self, rows: Columns, scope: str, *, teams: Sequence[str] = ("team_abbr",), name: str = "player_name"
    ) -> Listed:
        who = rows["player_lookup"], self._seasons(rows)
        registered = self.people.knows(*who) & ~self.people.is_shared(*who)
        return Listed.of(rows, scope, teams=teams, name=name, registered=registered)

    def _record(
        self, raw: RawTable, rows: Columns, found: Columns, listed: NDArray[np.object_], teams: Sequence[str]
    ) -> None:
        """Record names that match no player, and report those of them that are no known player's."""
        known = self.people.knows(rows["player_lookup"], self._seasons(rows)) | within(rows["player_lookup"], listed)
        records = pd.DataFrame(
            {
                "partition_date": rows["game_date"],
                "feed": raw.name,
                "player_lookup": rows["player_lookup"],
                "team_abbrs": [
                    "/".join(sorted(filter(None, mine))) for mine in zip(*(rows[team] for team in teams), strict=True)
                ],
                "player_name": rows.get("player_name", np.full(len(known), None, dtype=object)),
                "reason": text_where((found["reasons"] == NOBODY) & known, NOT_LISTED, found["reasons"]),
                "candidates": found["candidates"],
            }
        )
        key = ["partition_date", "feed", "player_lookup", "team_abbrs"]
        records["row_count"] = records.groupby(key)["reason"].transform("size").astype(np.float64)
        once = records.sort_values([*key, "player_name"], kind="stable").drop_duplicates(key)
        self.unmatched.append(
            {name: once[name].to_numpy(dtype="M8[D]" if name == key[0] else None) for name in once.columns}
        )
        for day, who, named, why, several in zip(
            once["partition_date"],
            once["player_lookup"],
            once["player_name"],
            once["reason"],
            once["candidates"],
            strict=True,
        ):
            if why in (NOBODY, SEVERAL):
                fits = f"fits {', '.join(several)}" if why == SEVERAL else "is no player's name"
                self.run.notice(NAMES_MATCHED.name, day.date(), f"{raw.name}: {named or who} ({who}) {fits}")

    def _seasons(self, rows: Columns) -> NDArray[np.int64]:
        return self.run.calendar.season_of(rows["game_date"])


def identifying(raw: RawTable, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a feed, and with them all by which it may tell who a player is."""
    names = (*filter(None, raw.players.values()), "player_id")
    return (*columns, *(name for name in names if name in raw.table.column_names and name not in columns))


def _named(events: Columns, number: int) -> dict[str, NDArray[Any]]:
    """Game and key, and the id where the feed has it, of the players whom the events name first or second."""
    columns = {"player_lookup": f"player_{number}_lookup", "player_id": f"player_{number}_id"}
    return {name: events[name] for name in ("game_id", "game_date")} | {
        name: events[column] for name, column in columns.items() if column in events
    }
