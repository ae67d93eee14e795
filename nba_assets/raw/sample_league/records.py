"""Records of games that were played, as feeds have them: play-by-play, sheets, box scores, and the results in the
schedule.

Every box score is a sum over the events. Times of publication follow the tip-off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.raw.sample_league import arrow
from nba_assets.raw.sample_league.people import ILLNESS, POSITIONS, REASONS, ZONES, People
from nba_assets.raw.sample_league.play import IS_THREE, Kind, Played, Role
from nba_assets.raw.sample_league.schedule import Game, Phase
from nba_assets.raw.sample_league.sheets import AWAY, DRESSED, HOME, NOBODY, Sheets

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

BOX_HOURS, EVENTS_HOURS, SHEET_HOURS = 3, 4, 14
"""After the tip-off: when live box scores, play-by-play and the official sheet are published."""
CORRECTION_HOURS = 62

COACHS_DECISION = "DNP - Coach's Decision"
NOT_DRESSED = "G League - Two-Way"

EVENT_TYPES: dict[Kind, str] = {
    Kind.PERIOD_START: "period start",
    Kind.PERIOD_END: "period end",
    Kind.JUMP_BALL: "jump ball",
    Kind.SHOT: "shot",
    Kind.FREE_THROW: "free throw",
    Kind.REBOUND: "rebound",
    Kind.TURNOVER: "turnover",
    Kind.FOUL: "foul",
    Kind.TECHNICAL_FOUL: "foul",
    Kind.SUBSTITUTION: "substitution",
    Kind.TIMEOUT: "timeout",
    Kind.VIOLATION: "violation",
}
ROLES = (None, "assist", "block", "steal", "jump_ball_away", "substitution_in")
SHOT_SUBTYPES = (
    (
        "Layup Shot",
        "Driving Layup Shot",
        "Cutting Layup Shot",
        "Running Dunk Shot",
        "Putback Layup Shot",
        "Alley Oop Dunk Shot",
    ),
    ("Driving Floating Jump Shot", "Hook Shot", "Turnaround Hook Shot", "Driving Layup Shot", "Floating Jump shot"),
    ("Pullup Jump shot", "Fadeaway Jump Shot", "Turnaround Fadeaway shot", "Jump Shot"),
    ("Jump Shot", "Pullup Jump shot", "Step Back Jump shot"),
    ("Jump Shot",),
    ("Jump Shot",),
)
"""By zone."""
FREE_THROW_SUBTYPES = (
    "free throw technical",
    *(f"free throw {number}/{trip}" for trip in (1, 2, 3) for number in range(1, trip + 1)),
)
TRIP_OFFSETS = np.array([0, 1, 2, 4])
"""Place in FREE_THROW_SUBTYPES of the first free throw of a trip, by its length; 0 is a technical."""

ABSENT, NO_REASON = -1, -1

SEQUENCE_STEP = 10
SWAP_EVERY, SWAP_AT = 97, 13
"""Of so many events of a game one changes its number with the next: a feed's numbers do not always follow the clock."""


@dataclass(frozen=True, eq=False)
class Quirks:
    """What is wrong with which feed: numbers of games."""

    without_play_by_play: int | None = None
    field_goals_only: int | None = None
    missing_distance: int | None = None
    coordinates_only: int | None = None
    distance_only: int | None = None
    corrected_box: int | None = None


@dataclass(frozen=True, eq=False)
class Records:
    """The raw tables of games that were played, and corrections that came later, by table."""

    tables: dict[str, pa.Table]
    corrections: dict[str, pa.Table]
    corrected_player: int | None
    """Player whose box score was corrected."""
    distance_missing_at: int | None
    """Sequence number of the shot without a distance."""


def record(
    season_year: int, people: People, games: Sequence[Game], sheets: Sheets, played: Played, quirks: Quirks
) -> Records:
    """All results of `games`, which are in order of tip-off."""
    return _Recorder(season_year, people, games, sheets, played, quirks).records()


class _Recorder:
    def __init__(
        self, season_year: int, people: People, games: Sequence[Game], sheets: Sheets, played: Played, quirks: Quirks
    ) -> None:
        self.season_year, self.people, self.games = season_year, people, games
        self.sheets, self.played, self.quirks = sheets, played, quirks
        self.events = played.events
        self.numbers = np.array([game.number for game in games], dtype=np.int64)
        self.ids = [game.game_id for game in games]
        self.days = arrow.day_array([game.day for game in games])
        self.tips = arrow.moment_array([game.tip for game in games])
        self.tricodes = sorted({code for game in games for code in game.tricodes})
        code_of = {code: place for place, code in enumerate(self.tricodes)}
        self.teams = np.array([[code_of[code] for code in game.tricodes] for game in games], dtype=np.int64).reshape(
            -1, 2
        )

    def records(self) -> Records:
        sheet, box = self._player_tables()
        corrections, corrected = self._correct(sheet, box)
        events, at = self._play_by_play()
        return Records(
            {
                "player_gamebook": corrections.pop("player_gamebook_original", sheet),
                "player_boxscores": corrections.pop("player_boxscores_original", box),
                "team_boxscores": self._team_table(),
                "play_by_play": events,
            },
            corrections,
            corrected,
            at,
        )

    @cached_property
    def counts(self) -> dict[str, Ints]:
        """Box-score counts by name, (games, 2, DRESSED), from the events alone."""
        events = self.events
        kind, side = events["kind"], events["side"].astype(np.int64)
        by_player = events["slot"] >= 0
        shot, free_throw = kind == Kind.SHOT, kind == Kind.FREE_THROW
        three, made = shot & IS_THREE[events["zone"]], shot & (events["made"] == 1)
        rebound = (kind == Kind.REBOUND) & by_player
        # A rebound is offensive where the newest try at the basket was the same team's.
        places = np.arange(len(events))
        newest_try = np.maximum.accumulate(np.where(shot | free_throw, places, 0))
        offensive = rebound & (side[newest_try] == side)

        def count(
            chosen: Flags, weights: NDArray[np.int8] | None = None, *, other: bool = False, opponent: bool = False
        ) -> Ints:
            slot = events["other_slot" if other else "slot"][chosen].astype(np.int64)
            team = 1 - side[chosen] if opponent else side[chosen]
            cells = (events["game"][chosen].astype(np.int64) * 2 + team) * DRESSED + slot
            shape = (len(self.games), 2, DRESSED)
            total = np.bincount(cells, None if weights is None else weights[chosen], minlength=int(np.prod(shape)))
            return total.astype(np.int64).reshape(shape)

        offensive_rebounds, defensive_rebounds = count(offensive), count(rebound & ~offensive)
        return {
            "points": count(by_player, events["points"]),
            "field_goals_made": count(made),
            "field_goals_attempted": count(shot),
            "three_pointers_made": count(three & made),
            "three_pointers_attempted": count(three),
            "free_throws_made": count(free_throw & (events["points"] == 1)),
            "free_throws_attempted": count(free_throw),
            "offensive_rebounds": offensive_rebounds,
            "defensive_rebounds": defensive_rebounds,
            "total_rebounds": offensive_rebounds + defensive_rebounds,
            "assists": count(events["role"] == Role.ASSIST, other=True),
            "steals": count(events["role"] == Role.STEAL, other=True, opponent=True),
            "blocks": count(events["role"] == Role.BLOCK, other=True, opponent=True),
            "turnovers": count((kind == Kind.TURNOVER) & by_player),
            "personal_fouls": count(kind == Kind.FOUL),
        }

    def _game_columns(self, game: Ints) -> dict[str, pa.Array]:
        return {
            "game_id": arrow.texts(self.ids, game),
            "game_date": arrow.days(self.days[game]),
            "season_year": arrow.numbers(np.full(len(game), self.season_year), pa.int64()),
            "home_team_abbr": arrow.texts(self.tricodes, self.teams[game, HOME]),
            "away_team_abbr": arrow.texts(self.tricodes, self.teams[game, AWAY]),
        }

    def _published(self, game: Ints, hours: int) -> pa.Array:
        return arrow.moments(self.tips[game] + np.timedelta64(hours, "h"))

    def _player_tables(self) -> tuple[pa.Table, pa.Table]:
        """The sheet (everybody) and the box score (who appeared), by game, team and name."""
        dressed = np.argwhere(self.sheets.dressed != NOBODY)
        people = self.sheets.dressed[tuple(dressed.T)]
        present = np.column_stack([dressed, people, np.full(len(people), NO_REASON)])
        absent = [
            (game, side, ABSENT, player, NO_REASON if reason is None else reason)
            for game, side, player, reason in self.sheets.away
        ]
        lines = np.concatenate([present, np.array(absent, dtype=np.int64).reshape(-1, 5)])
        by_name = np.argsort(np.argsort(np.array(self.people.lookups, dtype=object)))
        lines = lines[np.lexsort([by_name[lines[:, 3]], self.teams[lines[:, 0], lines[:, 1]], lines[:, 0]])]
        game, side, slot, player, reason = lines.T
        is_absent = slot == ABSENT

        appeared = ~is_absent & self.played.entered[game, side, slot]
        seconds = self.played.seconds[game, side, slot]
        clock_pool = [f"{second // 60}:{second % 60:02d}" for second in range(int(seconds.max(initial=0)) + 1)]
        names = {
            "player_name": arrow.texts(self.people.names, player),
            "player_lookup": arrow.texts(self.people.lookups, player),
            "team_abbr": arrow.texts(self.tricodes, self.teams[game, side]),
        }
        stats = {"minutes": arrow.texts(clock_pool, np.where(appeared, seconds, -1))}
        for name, counts in (*self.counts.items(), ("plus_minus", self.played.plus_minus)):
            stats[name] = arrow.numbers(counts[game, side, slot], pa.int64(), ~appeared)

        # Who fell ill on the day is still listed among those who might have played.
        status = np.where(appeared, 0, np.where(~is_absent | (reason == ILLNESS), 1, 2))
        reasons = [*(known.text for known in REASONS), COACHS_DECISION, NOT_DRESSED]
        why = np.where(appeared, -1, np.where(~is_absent, len(REASONS), np.where(reason < 0, len(REASONS) + 1, reason)))
        sheet = pa.table(
            self._game_columns(game)
            | names
            | stats
            | {
                "player_status": arrow.texts(("active", "dnp", "inactive"), status),
                "dnp_reason": arrow.texts(reasons, why),
                "processed_at": self._published(game, SHEET_HOURS),
            }
        )
        starts = self.played.starters[game, side, slot] & ~is_absent
        box = pa.table(
            self._game_columns(game)
            | names
            | stats
            | {
                "game_status": arrow.texts(("Final",), np.zeros(len(game))),
                "starter": arrow.numbers(starts, pa.bool_()),
                "position": arrow.texts(POSITIONS, np.where(starts, self.people.positions[player], -1)),
                "processed_at": self._published(game, BOX_HOURS),
            }
        )
        return sheet, box.filter(pa.array(appeared))

    def _correct(self, sheet: pa.Table, box: pa.Table) -> tuple[dict[str, pa.Table], int | None]:
        """A two-pointer that the first version of one player's line forgot: that version in place, the correction
        apart.
        """
        places = np.flatnonzero(self.numbers == (self.quirks.corrected_box or -1))
        if not places.size:
            return {}, None
        game = int(places[0])
        twos = (self.counts["field_goals_made"] - self.counts["three_pointers_made"])[game, HOME]
        player = int(self.sheets.dressed[game, HOME, np.argmax(twos)])
        result = {}
        for name, rows in (("player_gamebook", sheet), ("player_boxscores", box)):
            here = (np.array(rows["game_id"]) == self.ids[game]) & (
                np.array(rows["player_lookup"]) == self.people.lookups[player]
            )
            original = rows
            for column, lost in (("points", 2), ("field_goals_made", 1)):
                field = original.column_names.index(column)
                values = rows[column].to_numpy(zero_copy_only=False) - np.where(here, lost, 0)
                original = original.set_column(
                    field, column, arrow.numbers(np.nan_to_num(values), pa.int64(), np.isnan(values))
                )
            result[f"{name}_original"] = original
            late = arrow.moments(np.array([self.tips[game] + np.timedelta64(CORRECTION_HOURS, "h")]))
            correction = rows.filter(pa.array(here))
            result[name] = correction.set_column(correction.column_names.index("processed_at"), "processed_at", late)
        return result, player

    def _team_table(self) -> pa.Table:
        game = np.repeat(np.arange(len(self.games)), 2)
        side = np.tile([AWAY, HOME], len(self.games))
        order = np.lexsort([self.teams[game, side], game])
        game, side = game[order], side[order]
        totals = {name: counts.sum(axis=2)[game, side] for name, counts in self.counts.items()}
        renamed = {
            "fg_made": "field_goals_made",
            "fg_attempted": "field_goals_attempted",
            "three_pt_made": "three_pointers_made",
            "three_pt_attempted": "three_pointers_attempted",
            "ft_made": "free_throws_made",
            "ft_attempted": "free_throws_attempted",
        }
        same = (
            "offensive_rebounds",
            "defensive_rebounds",
            "total_rebounds",
            "assists",
            "steals",
            "blocks",
            "turnovers",
            "personal_fouls",
            "points",
        )
        minutes = self.played.seconds.sum(axis=2)[game, side] // 60
        columns = self._game_columns(game)
        return pa.table(
            {
                "game_id": columns["game_id"],
                "nba_game_id": arrow.texts([nba_game_id(self.season_year, known) for known in self.games], game),
                "game_date": columns["game_date"],
                "season_year": columns["season_year"],
                "team_abbr": arrow.texts(self.tricodes, self.teams[game, side]),
                "is_home": arrow.numbers(side == HOME, pa.bool_()),
                "minutes": arrow.texts([f"{minute}:00" for minute in range(int(minutes.max(initial=0)) + 1)], minutes),
                **{
                    name: arrow.numbers(totals[source], pa.int64())
                    for name, source in (*renamed.items(), *((name, name) for name in same))
                },
                "plus_minus": arrow.numbers(
                    self.played.score[game, side] - self.played.score[game, 1 - side], pa.int64()
                ),
                "processed_at": self._published(game, BOX_HOURS),
            }
        )

    def _play_by_play(self) -> tuple[pa.Table, int | None]:
        events = self.events
        game, side, slot = (events[name].astype(np.int64) for name in ("game", "side", "slot"))
        sequence = _sequence_numbers(events)
        shot, free_throw = events["kind"] == Kind.SHOT, events["kind"] == Kind.FREE_THROW
        two = shot & ~IS_THREE[events["zone"]]

        def in_game(number: int | None) -> Flags:
            return self.numbers[game] == (-1 if number is None else number)

        # A third of the twos of a game, the same ones whatever else is simulated.
        some = two & (events["across"] < 1 / 3)
        by_coordinates, by_distance = (
            some & in_game(self.quirks.coordinates_only),
            some & in_game(self.quirks.distance_only),
        )
        without_distance = ~shot
        first_two = np.flatnonzero(two & in_game(self.quirks.missing_distance))[:1]
        without_distance[first_two] = True

        loc_x, loc_y = _shot_locations(events["zone"], events["across"], events["along"])
        other_side = np.where(np.isin(events["role"], (Role.BLOCK, Role.STEAL, Role.JUMP_BALL_AWAY)), 1 - side, side)

        def person(team: Ints, place: Ints) -> Ints:
            return np.where(place < 0, -1, self.sheets.dressed[game, np.maximum(team, 0), np.maximum(place, 0)])

        subtype_pool = [*FREE_THROW_SUBTYPES, *dict.fromkeys(name for names in SHOT_SUBTYPES for name in names)]
        subtype = np.full(len(events), -1)
        subtype[free_throw] = TRIP_OFFSETS[events["trip"]][free_throw] + np.maximum(events["number"][free_throw] - 1, 0)
        for zone, names in enumerate(SHOT_SUBTYPES):
            inside = shot & (events["zone"] == zone)
            pick = (events["along"][inside] * 997).astype(np.int64) % len(names)
            subtype[inside] = np.array([subtype_pool.index(name) for name in names])[pick]

        kinds = list(EVENT_TYPES.values())
        columns = {
            "game_id": arrow.texts(self.ids, game),
            "game_date": arrow.days(self.days[game]),
            "home_team_abbr": arrow.texts(self.tricodes, self.teams[game, HOME]),
            "away_team_abbr": arrow.texts(self.tricodes, self.teams[game, AWAY]),
            "event_sequence": arrow.numbers(sequence, pa.int32()),
            "period": arrow.numbers(events["period"], pa.int8()),
            "game_clock_seconds": arrow.numbers(events["clock"], pa.int16()),
            "event_type": arrow.texts(kinds, events["kind"]),
            "event_subtype": arrow.texts(subtype_pool, subtype),
            "player_1_lookup": arrow.texts(self.people.lookups, person(side, slot)),
            "player_1_team_abbr": arrow.texts(
                self.tricodes, np.where(side < 0, -1, self.teams[game, np.maximum(side, 0)])
            ),
            "player_2_lookup": arrow.texts(
                self.people.lookups, person(other_side, events["other_slot"].astype(np.int64))
            ),
            "player_2_role": arrow.texts(ROLES, events["role"]),
            "shot_made": arrow.numbers(events["made"] == 1, pa.bool_(), ~shot),
            "shot_type": arrow.texts(("2PT", "3PT"), np.where(shot, ~two, -1)),
            "shot_distance": arrow.numbers(np.hypot(loc_x, loc_y) // 10, pa.float64(), without_distance),
            "loc_x": arrow.numbers(loc_x, pa.float64(), ~shot | by_distance),
            "loc_y": arrow.numbers(loc_y, pa.float64(), ~shot | by_distance),
            "shot_zone": arrow.texts(ZONES, np.where(shot & ~by_coordinates & ~by_distance, events["zone"], -1)),
            "points_scored": arrow.numbers(events["points"], pa.int8()),
            "score_home": arrow.numbers(events["home"], pa.int16()),
            "score_away": arrow.numbers(events["away"], pa.int16()),
            "source": arrow.texts(("simulated",), np.zeros(len(events))),
            "processed_at": self._published(game, EVENTS_HOURS),
        }
        kept = ~in_game(self.quirks.without_play_by_play) & (shot | ~in_game(self.quirks.field_goals_only))
        return pa.table(columns).filter(pa.array(kept)), int(sequence[first_two[0]]) if first_two.size else None


def schedule_table(
    season_year: int, games: Sequence[Game], scores: dict[int, tuple[int, int]], called_off: set[int]
) -> pa.Table:
    """The schedule: `scores` (home, away) by the number of each game that is over; `called_off` are numbers of games
    known to be postponed.
    """
    announced = np.datetime64(f"{season_year}-08-15T19:00", "us")
    final = [not game.postponed and game.number in scores for game in games]
    status = [
        3 if over else 4 if game.postponed and game.number in called_off else 1
        for game, over in zip(games, final, strict=True)
    ]
    score = np.array(
        [scores[game.number] if over else (0, 0) for game, over in zip(games, final, strict=True)]
    ).reshape(-1, 2)
    winner = [
        None if not over else game.tricodes[int(away > home)]
        for game, over, (home, away) in zip(games, final, score.tolist(), strict=True)
    ]
    tips, unknown = arrow.moment_array([game.tip for game in games]), ~np.array(final, dtype=bool)
    return pa.table(
        {
            "game_id": pa.array([game.game_id for game in games], pa.string()),
            "nba_game_id": pa.array([nba_game_id(season_year, game) for game in games], pa.string()),
            "game_date": arrow.days(arrow.day_array([game.day for game in games])),
            "game_time_utc": arrow.moments(tips),
            "season_year": arrow.numbers(np.full(len(games), season_year), pa.int64()),
            "home_team_abbr": pa.array([game.tricodes[HOME] for game in games], pa.string()),
            "away_team_abbr": pa.array([game.tricodes[AWAY] for game in games], pa.string()),
            "game_status": pa.array(status, pa.int64()),
            "home_team_score": arrow.numbers(score[:, HOME], pa.int32(), unknown),
            "away_team_score": arrow.numbers(score[:, AWAY], pa.int32(), unknown),
            "winning_team_abbr": pa.array(winner, pa.string()),
            "is_primetime": pa.array([game.primetime for game in games], pa.bool_()),
            "is_regular_season": pa.array([game.phase is Phase.REGULAR_SEASON for game in games], pa.bool_()),
            "is_playoffs": pa.array([game.phase is not Phase.REGULAR_SEASON for game in games], pa.bool_()),
            "is_all_star": pa.array([False] * len(games), pa.bool_()),
            "neutral_site_flag": pa.array([game.is_neutral for game in games], pa.bool_()),
            "arena_name": pa.array([game.arena.arena_name for game in games], pa.string()),
            "arena_timezone": pa.array([game.arena.arena_timezone for game in games], pa.string()),
            "arena_latitude": pa.array([game.arena.arena_latitude for game in games], pa.float64()),
            "arena_longitude": pa.array([game.arena.arena_longitude for game in games], pa.float64()),
            "processed_at": arrow.moments(np.where(unknown, announced, tips + np.timedelta64(BOX_HOURS, "h"))),
        }
    )


def nba_game_id(season_year: int, game: Game) -> str:
    """The league's own id: ten digits of phase, season and number. Example: 0022400001."""
    return f"00{game.phase.value}{season_year % 100:02d}{game.number:05d}"


def _sequence_numbers(events: NDArray[np.void]) -> Ints:
    """Numbers of the events within their games, a few of them out of order."""
    begins = np.ones(len(events), dtype=bool)
    begins[1:] = events["game"][1:] != events["game"][:-1]
    places = np.arange(len(events))
    within = places - np.maximum.accumulate(np.where(begins, places, 0))
    sequence = SEQUENCE_STEP * (within + 1)
    # Only events at different times change places: among those of one second the number alone tells the order.
    swapped = np.flatnonzero((within % SWAP_EVERY == SWAP_AT) & (within > 0))
    swapped = swapped[swapped + 1 < len(events)]
    swapped = swapped[
        (events["game"][swapped] == events["game"][swapped + 1])
        & (events["clock"][swapped] != events["clock"][swapped + 1])
    ]
    sequence[swapped], sequence[swapped + 1] = sequence[swapped + 1], sequence[swapped].copy()
    return sequence


def _shot_locations(
    zone: NDArray[np.int8], across: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where in its zone each shot was taken, in whole tenths of a foot from the hoop, across and along the court."""
    restricted = 39 * np.sqrt(along)
    angle = np.pi * across
    mid_range = 166 + 52 * along
    beyond_arc = 241 + 38 * along**2
    arc_angle = np.pi * (25 + 130 * across) / 180
    side = np.where(across < 0.5, -1, 1)
    x = np.choose(
        zone,
        [
            restricted * np.cos(angle),
            80 * (2 * across - 1),
            mid_range * np.cos(angle),
            beyond_arc * np.cos(arc_angle),
            side * (221 + 24 * along),
            200 * (2 * across - 1),
        ],
    )
    y = np.choose(
        zone,
        [
            restricted * np.sin(angle),
            42 + 94 * along,
            mid_range * np.sin(angle),
            beyond_arc * np.sin(arc_angle),
            -45 + 260 * (across % 0.5),
            430 + 320 * along,
        ],
    )
    return np.rint(x) + 0.0, np.rint(y) + 0.0
