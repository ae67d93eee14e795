"""Rows as a provider wrote them into rows as the contract has them, and what is wrong with those that cannot be.

Values are read as their columns' types, teams become tricodes, names become keys, game ids become canonical, words
become the project's own; then each row is checked against its table's spec. A row with a fault is not repaired,
ingestion quarantines it; a row that is kept but not understood gets a notice. Texts are worked on once per distinct
text, not once per row. `values` reads cells in forms of their own, `events` the words of play-by-play.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import map_distinct
from nba_assets.basketball.names import player_lookup, strip_leading_digits
from nba_assets.basketball.season import season_label, season_year
from nba_assets.basketball.teams import CURRENT_TEAMS, FIRST_SEASON_OF_TODAY, team_tricode, tricode_in_season
from nba_assets.raw.events import translate
from nba_assets.raw.league_time import eastern, end_of_hour
from nba_assets.raw.readers import BadFileError, is_text
from nba_assets.raw.schedule import FINAL
from nba_assets.raw.tables import RawTable
from nba_assets.raw.values import Reading, flag, identifier, is_league_game_id, league_game_id, number
from nba_assets.tables.columns import LARGEST_WHOLE, blank
from nba_assets.tables.spec import Column, Columns, Rule, Type
from nba_assets.wording import listed, one_line

Array = NDArray[Any]

FIRST_SEASON_START = np.datetime64("1946-07-01", "D")
"""The league's first season began in November 1946."""

FURTHEST_SCHEDULE_DAYS = 366
"""How far into the future a game may be scheduled."""

BELIEVABLE_YEARS = (1900, 2200)
"""A date or a moment outside of them is a clock gone wrong, or a number read in the wrong unit."""

NULL_SPELLINGS = frozenset({"", "na", "n/a", "nan", "none", "null", "\\n", "<na>", "nat"})
"""What feeds write for nothing, in lower case; `\\N` is PostgreSQL's, `<NA>` and `NaT` are pandas'."""

NO_NUMBER = "-"
"""What feeds write for nothing where a number or a time is expected."""

COLUMNS_OF_NUMBERS = frozenset({"minutes", "plus_minus"})
"""Text columns that hold numbers."""

LONGEST_SHOWN_VALUE = 100


@dataclass
class Faults:
    """What is wrong with which row: the first complaint about each of its columns, by the row's place."""

    by_row: dict[int, dict[str, str]] = field(default_factory=dict)

    def add(self, column: str, wrong: NDArray[np.bool_], complaint: Callable[[int], str]) -> None:
        """Note `complaint(place)` for every row marked as wrong, unless the column was complained of already."""
        for place in np.flatnonzero(wrong).tolist():
            self.by_row.setdefault(place, {}).setdefault(column, complaint(place))

    def reason(self, place: int) -> str:
        """All complaints about a row in one text."""
        return "; ".join(self.by_row[place].values())


@dataclass
class Notices:
    """Rows that are kept although something about them is not understood: their places, by what it is."""

    places: dict[str, NDArray[np.intp]] = field(default_factory=dict)

    def add(self, text: str, rows: NDArray[np.bool_]) -> None:
        """Note a text about every marked row."""
        found = np.flatnonzero(rows)
        if found.size:
            self.places[text] = np.union1d(self.places[text], found) if text in self.places else found

    def counted(self, kept: NDArray[np.bool_]) -> Counter[str]:
        """How many of the accepted rows each text is about."""
        counts = Counter({text: int(kept[places].sum()) for text, places in self.places.items()})
        return +counts


def normalise(
    raw: RawTable, rows: pa.Table, path_dates: NDArray[np.datetime64], now: datetime, schedule: Columns | None = None
) -> tuple[dict[str, Array], Faults, Notices]:
    """All columns of the raw table, in its order, the faults of the rows and notices about them; every row stays in its
    place.

    `rows` has passed `check_columns`. `path_dates` holds the date that the path of each row's file names, NaT where it
    names none. `now` stamps rows that do not say when they were processed. `schedule`, normalised rows of the raw
    schedule (`nba_game_id`, `home_team_abbr`, `away_team_abbr`), tells the teams of rows that name their game by the
    league's own id alone; without it such rows are faults.
    """
    faults, notices = Faults(), Notices()
    columns = {column.name: _read_column(raw, column, rows, faults) for column in raw.table.columns}
    _derive(raw, columns, faults, notices, now)
    _check_dates(raw, columns, path_dates, now, faults)
    home, away = _rebuild_game_ids(columns, schedule, faults)
    _check_teams(raw, columns, home, away, faults)
    for column in raw.table.columns:
        _check_values(column, columns[column.name], faults)
    for rule in raw.table.rules:
        if rule.blocking:
            _check_rule(rule, columns, faults)
    _notice_words(raw, columns, notices)
    if "winning_team_abbr" in columns:
        _notice_results(columns, notices)
    return columns, faults, notices


def check_columns(raw: RawTable, schema: pa.Schema, there: Sequence[str] = ()) -> None:
    """Whether a file's columns can be used at all; `there` are all that it has, which the complaint shows.

    Raises BadFileError, naming the column, where one that must be there is missing and cannot be derived, or where
    one has a type that can never be read as the contract's.
    """
    can_be_derived = {*raw.derived}
    can_be_derived |= {lookup for lookup, name in raw.players.items() if name in schema.names}
    if {"home_team_abbr", "away_team_abbr"} <= set(schema.names) or "nba_game_id" in schema.names:
        can_be_derived.add("game_id")
    if "reported_at" in schema.names:
        can_be_derived |= {"report_date", "report_hour"}
    missing = [
        column.name
        for column in raw.table.columns
        if not column.nullable and column.name not in {*schema.names, *can_be_derived}
    ]
    if missing:
        raise BadFileError(
            f"lacks the required column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"{_found_columns(missing, there or schema.names)}",
            missing[0],
        )
    for column in raw.table.columns:
        if column.name in schema.names and not _readable(column.type, schema.field(column.name).type):
            raise BadFileError(
                f"holds {schema.field(column.name).type} in the column {column.name}, which is to be {column.type}",
                column.name,
            )


def _found_columns(missing: Sequence[str], there: Sequence[str]) -> str:
    """Which columns a file has, and why none of them may be a missing one."""
    shown = [_shortened(one_line(name)) for name in there]
    found = f"it has {listed(shown, COLUMNS_SHOWN, 'columns') or 'no columns'}"
    delimiter = next((sign for sign in OTHER_DELIMITERS if len(there) == 1 and sign in there[0]), None)
    if delimiter is not None:
        return f"{found}: is {OTHER_DELIMITERS[delimiter]} the delimiter? Fields are separated by commas"
    if not {name.strip().lower() for name in there}.isdisjoint(missing):
        return f"{found}: names of columns are in lower case, without spaces around them"
    return found


COLUMNS_SHOWN = 8
OTHER_DELIMITERS = {";": "`;`", "\t": "a tab", "|": "`|`"}


def read_dates(name: str, values: pa.ChunkedArray) -> NDArray[np.datetime64]:
    """The values of a file's date column as dates, NaT where null or unreadable.

    Raises BadFileError where there are values and not one of them is a date.
    """
    if not _readable(Type.DATE, values.type):
        return blank(Type.DATE, len(values))  # `check_columns` complains
    days, wrong, complaint = _read(Type.DATE, Reading(_parse_date), values)
    if wrong.any() and np.isnat(days).all():
        raise BadFileError(f"holds no date in the column {name}: {complaint(int(wrong.argmax()))}", name)
    return days


def outside_every_season(days: NDArray[np.datetime64], now: datetime) -> NDArray[np.bool_]:
    """Dates before the first season or further ahead than any schedule."""
    latest = np.datetime64(now.date() + timedelta(days=FURTHEST_SCHEDULE_DAYS), "D")
    outside: NDArray[np.bool_] = (days < FIRST_SEASON_START) | (days > latest)
    return outside


def utc(moment: datetime) -> np.datetime64:
    """A moment as numpy has it; without a zone it is in UTC already."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return np.datetime64(aware.replace(tzinfo=None), "us")


def _derive(raw: RawTable, columns: dict[str, Array], faults: Faults, notices: Notices, now: datetime) -> None:
    """Fill what the feed does not say but its other columns do, and put words into the project's own."""
    for lookup, name in raw.players.items():
        if name is not None:
            columns[lookup] = _filled(columns[lookup], _over_distinct(columns[name], _parse_player))
    if "event_type" in columns:
        translate(columns, notices.add)
    if "outcome_name" in columns:
        names = columns["outcome_name"]
        columns["outcome_team_abbr"] = _filled(columns["outcome_team_abbr"], _over_distinct(names, team_tricode))
        is_total = _over_distinct(names, lambda name: name.lower() in ("over", "under")) == np.True_
        unknown = pd.isna(columns["outcome_team_abbr"]) & ~is_total & ~pd.isna(names)
        faults.add(
            "outcome_name",
            unknown,
            lambda place: f"outcome_name {_shown(names[place])} is neither a team nor Over or Under",
        )
    if "season_start" in columns:
        starts = _over_distinct(columns["season"], lambda season: np.datetime64(f"{season[:4]}-07-01", "D"))
        columns["season_start"] = _filled(columns["season_start"], starts.astype("M8[D]"))
    if "team_abbr" in raw.derived:
        columns["team_abbr"] = _filled(columns["team_abbr"], "")
    if "reported_at" in columns:
        _derive_report_times(columns)
    if raw.tip_off is not None:
        tips = columns[raw.tip_off]
        # A moment before there was a league is how some feeds write a time that is not set yet.
        columns[raw.tip_off] = np.where((tips >= FIRST_YEAR) & (tips < FIRST_SEASON_START), np.datetime64("NaT"), tips)
    _put_into_season(raw, columns, faults, notices)
    columns["processed_at"] = _filled(columns["processed_at"], utc(now))


def _derive_report_times(columns: dict[str, Array]) -> None:
    """A report's day and hour by its moment, and the moment by its day and hour, as far as either is not given."""
    wall = eastern(columns["reported_at"])
    days = wall.astype("M8[D]")
    hours = np.floor((wall - days) / np.timedelta64(1, "h"))
    columns["report_hour"] = np.where(
        np.isnat(columns["report_date"]) | np.isnan(columns["report_hour"]), hours, columns["report_hour"]
    )
    columns["report_date"] = _filled(columns["report_date"], days)
    real = (
        _believable(columns["report_date"]) & (columns["report_hour"] >= 0) & (columns["report_hour"] < HOURS_OF_A_DAY)
    )
    ends = end_of_hour(
        np.where(real, columns["report_date"], np.datetime64("NaT")), np.where(real, columns["report_hour"], np.nan)
    )
    columns["reported_at"] = _filled(columns["reported_at"], ends)


HOURS_OF_A_DAY = 24
FIRST_YEAR = np.datetime64("0001-01-01")


def _put_into_season(raw: RawTable, columns: dict[str, Array], faults: Faults, notices: Notices) -> None:
    """Give each team the tricode that its franchise had in the row's season."""
    days = columns[raw.table.date_column]
    old = days < FIRST_DAY_OF_TODAYS_TRICODES
    for name in raw.teams:
        if old.any() or not TRICODES_OF_TODAY.issuperset(pd.unique(columns[name])):
            columns[name] = _in_season(name, columns[name], _seasons(columns, days), faults, notices)


def _seasons(columns: Columns, days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Season of each row: as given, else by its date; NaN where neither is known."""
    by_date = np.full(len(days), np.nan)
    by_date[~np.isnat(days)] = season_year(days[~np.isnat(days)])
    given = columns.get("season_year", by_date)
    if "season" in columns:
        given = _over_distinct(columns["season"], lambda season: float(season[:4])).astype(np.float64)
    return np.where(np.isnan(given), by_date, given)


def _in_season(name: str, teams: Array, seasons: NDArray[np.float64], faults: Faults, notices: Notices) -> Array:
    then = teams.copy()
    known = ~np.isnan(seasons) & ~pd.isna(teams) & (teams != "")
    pairs = list(zip(teams[known].tolist(), seasons[known].tolist(), strict=True))
    then[known] = map_distinct(lambda pair: tricode_in_season(*pair), pairs, object)
    gone = known & pd.isna(then)
    faults.add(name, gone, lambda place: f"{name} {teams[place]} had no team in {season_label(int(seasons[place]))}")
    changed = known & ~gone & (then != teams)
    for given, read in sorted({*zip(teams[changed], then[changed], strict=True)}):
        text = f"{name} {given} is read as {read}, the franchise's tricode of that season"
        notices.add(text, changed & (teams == given) & (then == read))
    return then


FIRST_DAY_OF_TODAYS_TRICODES = np.datetime64(f"{FIRST_SEASON_OF_TODAY}-07-01")
TRICODES_OF_TODAY = frozenset({*CURRENT_TEAMS, None, ""})


def _check_dates(
    raw: RawTable, columns: dict[str, Array], path_dates: NDArray[np.datetime64], now: datetime, faults: Faults
) -> None:
    name = raw.table.date_column
    days = columns[name]
    faults.add(name, outside_every_season(days, now), lambda place: f"{name} {days[place]} lies outside every season")
    if not raw.whole_season:
        misplaced = ~np.isnat(path_dates) & ~np.isnat(days) & (days != path_dates)
        faults.add(
            name,
            misplaced,
            lambda place: f"{name} {days[place]} differs from {path_dates[place]}, the date that the file's path names",
        )
    if raw.tip_off is not None:
        tips = columns[raw.tip_off]
        tip_days = eastern(tips).astype("M8[D]")
        faults.add(
            raw.tip_off,
            ~np.isnat(tips) & ~np.isnat(days) & (tip_days != days),
            lambda place: (
                f"{name} {days[place]} is not the US-Eastern date of {raw.tip_off} {tips[place]} UTC, which is "
                f"{tip_days[place]}"
            ),
        )


def _rebuild_game_ids(columns: dict[str, Array], schedule: Columns | None, faults: Faults) -> tuple[Array, Array]:
    """Make game ids canonical: from the row's date and teams, else from the id as given; where both are there, they
    agree.

    A row that tells its teams neither way has them from the schedule by the league's own id. Returns the home and the
    away team of each row's game, None where unknown.
    """
    unknown = np.full(len(columns["processed_at"]), None, dtype=object)
    home, away = columns.get("home_team_abbr", unknown), columns.get("away_team_abbr", unknown)
    if "game_id" not in columns:
        return home, away
    given, days = columns["game_id"], columns["game_date"]
    codes, distinct = pd.factorize(given)
    if any(map(is_league_game_id, distinct)):
        columns["nba_game_id"] = _filled(columns["nba_game_id"], _over_distinct(given, _league_id_or_none))
    parts = [*map(_game_id_parts, distinct), (None, None, None, None)]
    id_days = np.array([day for day, *_ in parts], dtype="M8[D]")[codes]
    id_away, id_home, id_unknown = (
        np.array([part[place] for part in parts], dtype=object)[codes] for place in (1, 2, 3)
    )

    def complain(wrong: NDArray[np.bool_], complaint: Callable[[int], str]) -> None:
        faults.add("game_id", wrong, lambda place: f"game_id {_shown(given[place])} {complaint(place)}")

    complain(~pd.isna(id_unknown), lambda place: f"names {id_unknown[place]}, which is no team")
    complain(_differ(home, id_home), lambda place: f"does not agree with home_team_abbr {home[place]}")
    complain(_differ(away, id_away), lambda place: f"does not agree with away_team_abbr {away[place]}")
    complain(_differ(days, id_days), lambda place: f"does not agree with game_date {days[place]}")
    home, away = _filled(home, id_home), _filled(away, id_away)
    nameless = pd.isna(home) | pd.isna(away)
    if nameless.any():
        home, away = _teams_by_league_id(columns, home, away, nameless, schedule, faults)
        nameless = pd.isna(home) | pd.isna(away)
        complain(
            nameless & ~pd.isna(given),
            lambda _: "is not YYYYMMDD_AWAY_HOME of two teams, and the row does not name the home and the away team",
        )
    day_codes, away_codes, home_codes = (pd.factorize(values)[0] for values in (days, away, home))
    games = (day_codes * (away_codes.max(initial=0) + 1) + away_codes) * (home_codes.max(initial=0) + 1) + home_codes
    games[nameless | np.isnat(days)] = -1
    distinct_games, first = np.unique(games, return_index=True)
    ids = [f"{days[place]}_{away[place]}_{home[place]}".replace("-", "") for place in first.tolist()]
    if "is_home" in columns:
        _derive_is_home(columns, home, away, faults)
    columns["game_id"] = np.where(games < 0, given, np.array(ids, dtype=object)[np.searchsorted(distinct_games, games)])
    return home, away


def _teams_by_league_id(
    columns: dict[str, Array],
    home: Array,
    away: Array,
    nameless: NDArray[np.bool_],
    schedule: Columns | None,
    faults: Faults,
) -> tuple[Array, Array]:
    """The home and the away team, taken from the schedule where only the league's own id of the game is known."""
    ids = columns["nba_game_id"]
    requested = nameless & ~pd.isna(ids)
    games = (
        {}
        if schedule is None
        else {game: place for place, game in enumerate(schedule["nba_game_id"].tolist()) if game is not None}
    )
    places = np.array([games.get(game, -1) for game in ids[requested].tolist()], dtype=np.intp)
    found = requested.copy()
    found[requested] = places >= 0
    faults.add(
        "game_id",
        requested & ~found,
        lambda place: (
            f"nba_game_id {ids[place]} is no game of the landed schedule, and the row does not name the home and the "
            "away team"
        ),
    )
    if schedule is None or not found.any():
        return home, away
    home, away, places = home.copy(), away.copy(), places[places >= 0]
    home[found], away[found] = schedule["home_team_abbr"][places], schedule["away_team_abbr"][places]
    moved = np.zeros(len(found), dtype=bool)
    moved[found] = schedule["game_date"][places] != columns["game_date"][found]
    faults.add(
        "game_id",
        moved,
        lambda place: (
            f"nba_game_id {ids[place]} is a game of another date than game_date {columns['game_date'][place]} in the "
            "landed schedule"
        ),
    )
    return home, away


def _derive_is_home(columns: dict[str, Array], home: Array, away: Array, faults: Faults) -> None:
    """Whether a team is the home team, by the game's teams; a feed that says otherwise contradicts itself."""
    team, given = columns["team_abbr"], columns["is_home"]
    is_home = np.select([pd.isna(team) | pd.isna(home), team == home, team == away], [np.nan, 1.0, 0.0], np.nan)
    faults.add(
        "is_home",
        (given != is_home) & ~np.isnan(given) & ~np.isnan(is_home),
        lambda place: f"is_home is {given[place] == 1}, but {team[place]} plays in {away[place]} at {home[place]}",
    )
    columns["is_home"] = _filled(given, is_home)


def _check_teams(raw: RawTable, columns: dict[str, Array], home: Array, away: Array, faults: Faults) -> None:
    """A game is played by two teams, and a team that its rows name is one of them."""
    known = ~pd.isna(home) & ~pd.isna(away)
    faults.add("two_teams", known & (home == away), lambda place: f"home and away team are both {home[place]}")
    for name in raw.teams:
        _check_plays(name, columns[name], known, home, away, faults)


def _check_plays(name: str, team: Array, known: NDArray[np.bool_], home: Array, away: Array, faults: Faults) -> None:
    absent = known & ~pd.isna(team) & (team != home) & (team != away)
    faults.add(name, absent, lambda place: f"{name} {team[place]} does not play in {away[place]} at {home[place]}")


def _check_values(column: Column, values: Array, faults: Faults) -> None:
    name, expected = column.name, column.values
    if not column.nullable:
        faults.add(name, pd.isna(values), lambda _: f"{name} is missing")
    if column.type in (Type.INT64, Type.FLOAT64):
        low, high = column.allowed or (-np.inf, np.inf)
        wrong = (values < low) | (values > high) | np.isinf(values)
        faults.add(name, wrong, lambda place: f"{name} is {values[place]:.15g}, allowed is {low:g} to {high:g}")
    if column.type in (Type.DATE, Type.TIMESTAMP):
        faults.add(name, ~np.isnat(values) & ~_believable(values), lambda place: f"{name} {values[place]} cannot be")
    if expected is not None:
        strange = _over_distinct(values, lambda value: value not in expected) == np.True_
        faults.add(name, strange, lambda place: f"{name} {_shown(values[place])} is not one of {', '.join(expected)}")


def _believable(values: Array) -> NDArray[np.bool_]:
    first, last = (np.datetime64(f"{year}-01-01") for year in BELIEVABLE_YEARS)
    believable: NDArray[np.bool_] = (values >= first) & (values < last)
    return believable


def _check_rule(rule: Rule, columns: dict[str, Array], faults: Faults) -> None:
    shown = [name for name in re.findall(r"\w+", rule.description) if name in columns]

    def complaint(place: int) -> str:
        return f"{rule.description}, but {', '.join(f'{name} is {_shown(columns[name][place])}' for name in shown)}"

    faults.add(rule.name, rule.broken(columns), complaint)


def _notice_words(raw: RawTable, columns: Columns, notices: Notices) -> None:
    for name, known in raw.known.items():
        codes, distinct = pd.factorize(columns[name])
        for code, found in enumerate(distinct):
            if found not in known:
                notices.add(f"{name} {_shown(found)} is not known", codes == code)


def _notice_results(columns: Columns, notices: Notices) -> None:
    """Results of the schedule that are missing or contradict each other."""
    home, away, winner = columns["home_team_score"], columns["away_team_score"], columns["winning_team_abbr"]
    final = columns["game_status"] == FINAL
    notices.add("a game is final (game_status 3) without both scores", final & np.isnan(home + away))
    by_score = np.where(home > away, columns["home_team_abbr"], columns["away_team_abbr"])
    notices.add(
        "winning_team_abbr contradicts the scores of a final game",
        final & ~np.isnan(home + away) & ~pd.isna(winner) & (winner != by_score),
    )


def _read_column(raw: RawTable, column: Column, rows: pa.Table, faults: Faults) -> Array:
    if column.name not in rows.column_names:
        return blank(column.type, rows.num_rows)
    null_words = NULL_SPELLINGS
    if column.type is not Type.STRING or column.name in COLUMNS_OF_NUMBERS:
        null_words |= {NO_NUMBER}
    values, wrong, complaint = _read(column.type, _reading(raw, column), rows.column(column.name), null_words)
    faults.add(column.name, wrong, lambda place: f"{column.name} {complaint(place)}")
    return values


def _read(
    kind: Type, reading: Reading, values: pa.ChunkedArray, null_words: frozenset[str] = NULL_SPELLINGS
) -> tuple[Array, NDArray[np.bool_], Callable[[int], str]]:
    """Values as `kind`, null where they cannot be read; which those are, and what to say of each."""
    given = values.type
    if pa.types.is_dictionary(given):
        given, values = given.value_type, values.cast(given.value_type)
    if pa.types.is_null(given):
        return blank(kind, len(values)), np.zeros(len(values), dtype=bool), str
    if kind is Type.STRING and not is_text(given):
        given, values = pa.string(), _as_text(values)
    if is_text(given):
        return _read_texts(kind, reading, values, null_words)

    if kind in (Type.DATE, Type.TIMESTAMP):
        is_date = pa.types.is_date(given)
        numbers = (values.cast(pa.date32()) if is_date else values.cast(pa.timestamp("us"), safe=False)).to_numpy()
        read = numbers.astype(blank(kind, 0).dtype)
        wrong = ~np.isnat(read) & (read != numbers)
    else:
        numbers = values.cast(pa.float64(), safe=False).to_numpy()
        if reading.numbers is not None:
            numbers = reading.numbers(numbers)
        wrong = ~np.isnan(numbers) & ~_fits(kind, numbers)
        read = np.where(wrong, np.nan, numbers)
    return read, wrong, lambda place: f"{numbers[place]} {_misfit(kind, numbers[place])}"


def _read_texts(
    kind: Type, reading: Reading, values: pa.ChunkedArray, null_words: frozenset[str]
) -> tuple[Array, NDArray[np.bool_], Callable[[int], str]]:
    codes = values.combine_chunks().dictionary_encode()
    if isinstance(codes, pa.ChunkedArray):
        codes = codes.combine_chunks()
    texts = codes.dictionary.to_pylist()
    parsed = blank(kind, len(texts) + 1)
    complaints: dict[int, str] = {}
    for place in range(len(texts)):
        try:
            texts[place] = _decoded(texts[place])
            trimmed = texts[place].strip()
            value = None if trimmed.lower() in null_words else reading.text(trimmed)
        except ValueError as error:
            complaints[place] = f"{_shown(texts[place])} {error}"
        else:
            if value is not None:
                parsed[place] = value
    if reading.numbers is not None:
        parsed = reading.numbers(parsed)
    if kind in (Type.INT64, Type.FLOAT64):
        misfits = np.flatnonzero(~np.isnan(parsed) & ~_fits(kind, parsed))
        complaints |= {place: f"{_shown(texts[place])} {_misfit(kind, parsed[place])}" for place in misfits.tolist()}
        parsed[misfits] = np.nan
    places = codes.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    unreadable = np.isin(np.arange(len(texts) + 1), np.array(list(complaints), dtype=np.int64))
    return parsed[places], unreadable[places], lambda place: complaints[int(places[place])]


def _fits(kind: Type, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    if kind is Type.BOOL:
        fits = np.isin(numbers, (0.0, 1.0))
    elif kind is Type.INT64:
        fits = (numbers == np.trunc(numbers)) & (np.abs(numbers) <= LARGEST_WHOLE)
    else:
        fits = np.isfinite(numbers)
    return fits


def _misfit(kind: Type, value: Any) -> str:
    """What is the matter with a value that was read and is none of its column's type."""
    if kind is Type.INT64 and abs(value) > LARGEST_WHOLE:
        return f"is too large for a whole number, at most {LARGEST_WHOLE:,.0f} is allowed"
    return f"is not {WHAT_IS_MEANT[kind]}"


WHAT_IS_MEANT: Mapping[Type, str] = {
    Type.INT64: "a whole number",
    Type.FLOAT64: "a number",
    Type.BOOL: "true or false",
    Type.DATE: "a date YYYY-MM-DD",
    Type.TIMESTAMP: "a point in time YYYY-MM-DD HH:MM:SS",
}


def _decoded(text: str | bytes) -> str:
    try:
        return text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None


def _reading(raw: RawTable, column: Column) -> Reading:
    if column.name in raw.readings:
        return raw.readings[column.name]
    if column.type is not Type.STRING:
        return {
            Type.INT64: Reading(number),
            Type.FLOAT64: Reading(number),
            Type.BOOL: Reading(flag),
            Type.DATE: Reading(_parse_date),
            Type.TIMESTAMP: Reading(_parse_moment),
        }[column.type]
    if column.name in raw.teams:
        return Reading(_parse_team)
    if column.name in raw.players:
        return Reading(_parse_player)
    if column.name == "season":
        return Reading(_parse_season)
    plain = identifier if column.name in raw.table.key or column.name.endswith("_id") else str
    return Reading((lambda text: plain(text).lower()) if column.name in raw.lower_case else plain)


def _parse_date(text: str) -> date:
    """A date as YYYY-MM-DD, as "Jul 28, 1999", or as MM/DD/YYYY where it cannot be DD/MM/YYYY."""
    if iso := re.fullmatch(r"(\d{4}-\d{2}-\d{2})([T ]00:00(:00(\.0+)?)?(Z|[+]00:?(00)?| UTC)?)?", text):
        forms, text = ["%Y-%m-%d"], iso[1]
    elif numbers := re.fullmatch(r"(\d{1,2})/(\d{1,2})/\d{4}", text):
        if numbers[1] != numbers[2] and max(int(numbers[1]), int(numbers[2])) <= MONTHS:
            raise ValueError(f"may be of month {numbers[1]} or of month {numbers[2]}; write dates as YYYY-MM-DD")
        forms = ["%m/%d/%Y"]
    else:
        forms = ["%b %d, %Y", "%B %d, %Y"]
    for form in forms:
        with suppress(ValueError):
            return datetime.strptime(text, form).date()
    raise ValueError(f"is not {WHAT_IS_MEANT[Type.DATE]}")


MONTHS = 12


def _parse_moment(text: str) -> np.datetime64:
    try:
        return utc(datetime.fromisoformat(text.removesuffix(" UTC")))
    except ValueError:
        raise ValueError(f"is not {WHAT_IS_MEANT[Type.TIMESTAMP]}") from None


def _parse_team(text: str) -> str:
    tricode = team_tricode(text)
    if tricode is None:
        raise ValueError("is no team")
    return tricode


def _parse_player(text: str) -> str | None:
    return strip_leading_digits(player_lookup(text)) or None


def _parse_season(text: str) -> str:
    years = re.fullmatch(r"(\d{4})(?:-(?:\d{2})?(\d{2}))?", text)
    if years is None or (years[2] is not None and int(years[2]) != (int(years[1]) + 1) % 100):
        raise ValueError("is not a season such as 2021-22")
    return season_label(int(years[1]))


def _league_id_or_none(game_id: str) -> str | None:
    return league_game_id(game_id) if is_league_game_id(game_id) else None


def _game_id_parts(game_id: str) -> tuple[date | None, str | None, str | None, str | None]:
    """Date, away and home team of a game id, and a code in it that is no team's."""
    parts = re.fullmatch(r"(\d{4})(\d{2})(\d{2})_([A-Za-z]{2,4})_([A-Za-z]{2,4})", game_id)
    if parts is None:
        return None, None, None, None
    try:
        day = date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        return None, None, None, None
    away, home = (_tricode_on(day, code) for code in (parts[4], parts[5]))
    return day, away, home, parts[4] if away is None else parts[5] if home is None else None


def _tricode_on(day: date, code: str) -> str | None:
    tricode = team_tricode(code)
    return None if tricode is None else tricode_in_season(tricode, int(season_year(np.array([day], dtype="M8[D]"))[0]))


def _readable(kind: Type, given: pa.DataType) -> bool:
    """Whether values of an Arrow type can be read as `kind` at all."""
    if pa.types.is_dictionary(given):
        return _readable(kind, given.value_type)
    if is_text(given) or pa.types.is_null(given):
        return True
    number = pa.types.is_integer(given) or pa.types.is_floating(given) or pa.types.is_decimal(given)
    moment = pa.types.is_date(given) or pa.types.is_timestamp(given)
    if kind in (Type.INT64, Type.FLOAT64):
        return bool(number)
    if kind in (Type.DATE, Type.TIMESTAMP):
        return bool(moment)
    return bool(number or pa.types.is_boolean(given) or (kind is Type.STRING and moment))


def _as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(values.type):
        return values.cast(pa.string())
    # A whole number that came as a float, as those of columns with nulls often do, is meant as 5 and not as 5.0.
    codes, distinct = pd.factorize(values.to_numpy())
    texts = [str(int(number)) if number.is_integer() else repr(number) for number in distinct.tolist()]
    return pa.chunked_array([pa.array(np.array([*texts, None], dtype=object)[codes], pa.string())])


def _over_distinct(values: Array, function: Callable[[str], Any]) -> Array:
    """`function` of each text, worked out once per distinct one; None where it is null."""
    codes, distinct = pd.factorize(values)
    return np.array([*map(function, distinct), None], dtype=object)[codes]


def _filled(values: Array, others: Any) -> Array:
    return np.where(pd.isna(values), others, values)


def _differ(left: Array, right: Array) -> NDArray[np.bool_]:
    """Where both are known and not the same."""
    differ: NDArray[np.bool_] = ~pd.isna(left) & ~pd.isna(right) & (left != right)
    return differ


def _shown(value: object) -> str:
    return _shortened(repr(value) if isinstance(value, str) else str(value))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN_VALUE else text[:LONGEST_SHOWN_VALUE] + "..."
