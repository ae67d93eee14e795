"""What is published before games: rosters and registry, injury reports, bookmakers' lines on games and on players'
points.

Some of it is published too late: lines and reports from after the tip-off are in here as well, as feeds have them, and
must not be used for the game.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.basketball.season import season_label
from nba_assets.basketball.teams import TEAMS
from nba_assets.raw.sample_league import arrow
from nba_assets.raw.sample_league.people import INJURIES, NO_TEAM, POSITIONS, REASONS, People
from nba_assets.raw.sample_league.play import IS_THREE
from nba_assets.raw.sample_league.schedule import EASTERN, Game, eastern
from nba_assets.raw.sample_league.sheets import AWAY, DRESSED, HOME, NOBODY, Sheets
from nba_assets.raw.sample_league.streams import Purpose, stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROSTER_WEEKDAYS = (0, 2, 4)
"""Monday, Wednesday and Friday; and the days on which trades take effect."""
ROSTER_HOUR, ROSTER_UTC_HOURS = 6, 5
WITHOUT_BIRTH_DATE_SHARE = 0.015
TWO_WAY_LEVEL = -1.4

POINTS_PER_STRENGTH, HOME_POINTS, USUAL_TOTAL = 7.2, 2.9, 222.0
"""What bookmakers make of the teams' strengths; a typical game's total."""


@dataclass(frozen=True)
class Bookmaker:
    """When a bookmaker's lines were seen, in minutes before the tip-off (negative: after it), and how it names
    teams.
    """

    key: str
    snapshots: tuple[int, ...]
    names: str
    missing_share: float


BOOKMAKERS = (
    Bookmaker("draftkings", (1560, 360, 10, -45), "full", 0.06),
    Bookmaker("fanduel", (1200, 180, 5, -70), "full", 0.04),
    Bookmaker("betmgm", (600, 30), "tricode", 0.12),
)
AFTER_TIP_SHARE = 0.25
NO_LINES_SHARE, NO_SPREADS_SHARE = 0.01, 0.02
FANDUEL_CLIPPERS = "LA Clippers"

LEAST_PROP_MINUTES, LEAST_PROP_POINTS, PRIMARY_POINTS = 14, 5.5, 11.0
POINTS_OF_TEAM = 111.0

PROP_SNAPSHOTS = (
    ("odds_api", "draftkings", 480),
    ("odds_api", "draftkings", 15),
    ("odds_api", "draftkings", -30),
    ("odds_api", "fanduel", 300),
    ("odds_api", "fanduel", 10),
    ("bettingpros", "consensus", 120),
)
"""Feed, bookmaker and minutes before the tip-off (negative: after it) of each look at the lines on players' points."""

MOMENTS = (-1, 9, 5, 1)
"""Hours before the tip-off of an injury report; -1 is the evening before."""
EVENING_HOUR = 20
PATHS_OUT = (
    *[("out",)] * 4,
    ("out", "out"),
    ("out", "out", "out"),
    ("doubtful", "out"),
    ("questionable", "out"),
    ("questionable", "doubtful", "out"),
    ("probable", "questionable", "out"),
    ("doubtful",),
)
PATHS_PLAYING = (
    ("probable",),
    ("questionable",),
    ("questionable", "available"),
    ("probable", "available"),
    ("doubtful", "questionable", "available"),
    ("out", "questionable", "probable", "available"),
    ("questionable", "probable"),
)
"""How a player's status goes until the tip-off, by whether he then misses the game; each as likely."""
LISTED_BUT_PLAYING_SHARE, UNLISTED_SHARE, AFTER_TIP_REPORT_SHARE, MISREAD_SHARE = 0.07, 0.03, 0.04, 0.04
STATUSES = ("out", "doubtful", "questionable", "probable", "available")


def rosters(
    seed: int, season_year: int, people: People, teams: Sequence[str], first_day: date, through: date
) -> pa.Table:
    """Snapshots of all rosters, from the day before opening night on."""
    trade_days = {first_day + timedelta(days=day) for _, day in people.traded}
    dates = [first_day + timedelta(days=offset) for offset in range(-1, (through - first_day).days + 1)]
    dates = [day for day in dates if day <= first_day or day in trade_days or day.weekday() in ROSTER_WEEKDAYS]
    members = [np.flatnonzero(people.team_on[:, max((day - first_day).days, 0)] != NO_TEAM) for day in dates]
    player = np.concatenate([np.zeros(0, dtype=np.int64), *members])
    place = np.repeat(np.arange(len(dates)), [len(some) for some in members])
    day_numbers = np.array([max((day - first_day).days, 0) for day in dates], dtype=np.int64)
    team = people.team_on[player, day_numbers[place]].astype(np.int64)
    order = np.lexsort([player, team, place])
    player, place, team = player[order], place[order], team[order]

    days = arrow.day_array(dates)[place]
    hour = np.where(np.array([day in trade_days for day in dates], dtype=bool), ROSTER_HOUR + 6, ROSTER_HOUR)[place]
    births = people.birth_dates[player]
    age = (days - births).astype(np.int64) // 365.2425
    unknown = stream(seed, season_year, Purpose.PEOPLE, 1).random(people.count) < WITHOUT_BIRTH_DATE_SHARE
    return pa.table(
        {
            "roster_date": arrow.days(days),
            "scrape_hour": arrow.numbers(hour, pa.int64()),
            "season_year": arrow.numbers(np.full(len(player), season_year), pa.int64()),
            "team_abbr": arrow.texts(teams, team),
            "player_lookup": arrow.texts(people.lookups, player),
            "player_full_name": arrow.texts(people.names, player),
            "position_abbr": arrow.texts(POSITIONS, people.positions[player]),
            "age": arrow.numbers(age, pa.int64()),
            "birth_date": arrow.days(np.where(unknown[player], np.datetime64("NaT", "D"), births)),
            "roster_status": arrow.texts(
                ("active", "two-way"), (people.level[player] < TWO_WAY_LEVEL).astype(np.int64)
            ),
            "processed_at": arrow.moments(days.astype("M8[h]") + (hour + ROSTER_UTC_HOURS)),
        }
    )


def player_registry(season_year: int, people: People, teams: Sequence[str], first_day: date, through: date) -> pa.Table:
    """Everybody with every team that he has been with until `through`."""
    known = people.team_on[:, : max((through - first_day).days, 0) + 1]
    pairs = sorted(
        {
            (people.lookups[player], player, team)
            for player, team in np.argwhere(_membership(known, len(teams))).tolist()
        }
    )
    player, team = np.array([(player, team) for _, player, team in pairs], dtype=np.int64).reshape(-1, 2).T
    return pa.table(
        {
            "player_lookup": arrow.texts(people.lookups, player),
            "season": arrow.texts((season_label(season_year),), np.zeros(len(player))),
            "universal_player_id": arrow.texts([f"{lookup}_001" for lookup in people.lookups], player),
            "player_name": arrow.texts(people.names, player),
            "team_abbr": arrow.texts(teams, team),
            "processed_at": arrow.moments(np.full(len(player), np.datetime64(f"{season_year}-10-01T12:00", "us"))),
        }
    )


def _membership(team_on: NDArray[np.int16], teams: int) -> NDArray[np.bool_]:
    return np.stack([(team_on == team).any(axis=1) for team in range(teams)], axis=1)


def game_lines(seed: int, season_year: int, people: People, games: Sequence[Game], sheets: Sheets) -> pa.Table:
    """Spreads and totals of several bookmakers, from a day before the tip-off until after it."""
    lots = _lots(seed, season_year, Purpose.LINES, games, (len(BOOKMAKERS) + 1, 12))
    strength = sheets.strength(people)
    pace = people.team_pace[np.array([[game.home, game.away] for game in games], dtype=np.int64).reshape(-1, 2)].mean(
        axis=1
    )
    game_lots = lots[:, -1]
    expected = (
        POINTS_PER_STRENGTH * (strength[:, HOME] - strength[:, AWAY])
        + HOME_POINTS
        + 4 * (game_lots[:, 0] + game_lots[:, 1] - 1)
    )
    total = USUAL_TOTAL * pace + 8 * (game_lots[:, 2] + game_lots[:, 3] - 1)
    without_lines, without_spreads = game_lots[:, 4] < NO_LINES_SHARE, game_lots[:, 5] < NO_SPREADS_SHARE

    blocks = []
    for number, book in enumerate(BOOKMAKERS):
        lot = lots[:, number]
        offered = ~without_lines & (lot[:, 0] >= book.missing_share)
        for place, minutes in enumerate(book.snapshots):
            # Opinions move less and less until the tip-off; afterwards the game itself moves them.
            unrest = 6.0 if minutes < 0 else 0.4 + minutes / 600
            spread = -np.rint(2 * (expected + unrest * (2 * lot[:, 1 + place] - 1))) / 2
            points = np.rint(2 * (total + 2 * unrest * (2 * lot[:, 5 + place] - 1))) / 2
            seen = offered & ((lot[:, 9] < AFTER_TIP_SHARE) | (minutes >= 0))
            price = np.round(1.87 + 0.08 * lot[:, 10], 3)
            for outcome, (is_total, point) in enumerate(
                ((False, -spread), (False, spread), (True, points), (True, points))
            ):
                offers = np.flatnonzero(seen & (is_total | ~without_spreads))
                blocks.append(_rows(offers, minutes, number, outcome, point[offers], price[offers]))
    game, before, book_number, outcomes, point, price = _stacked(blocks)
    order = np.lexsort([outcomes, book_number, -before, game])
    game, before, book_number, outcomes, point, price = (
        column[order] for column in (game, before, book_number, outcomes, point, price)
    )

    tips = arrow.moment_array([known.tip for known in games])[game]
    seen_at = tips - before * np.timedelta64(1, "m")
    pool, codes = _outcome_names(games)
    return pa.table(
        {
            "game_date": arrow.days(arrow.day_array([known.day for known in games])[game]),
            "home_team_abbr": arrow.texts([known.tricodes[HOME] for known in games], game),
            "away_team_abbr": arrow.texts([known.tricodes[AWAY] for known in games], game),
            "commence_time": arrow.moments(tips),
            "snapshot_timestamp": arrow.moments(seen_at),
            "bookmaker_key": arrow.texts([book.key for book in BOOKMAKERS], book_number),
            "market_key": arrow.texts(("spreads", "totals"), outcomes // 2),
            "outcome_name": arrow.texts(pool, codes[game, book_number, outcomes]),
            "outcome_point": arrow.numbers(point + 0.0, pa.float64()),
            "outcome_price": arrow.numbers(price, pa.float64()),
            "processed_at": arrow.moments(seen_at + np.timedelta64(1, "m")),
        }
    )


def _outcome_names(games: Sequence[Game]) -> tuple[list[str], Ints]:
    """Names of outcomes, and their places by (game, bookmaker, outcome): away, home, over, under."""
    pool: dict[str, int] = {}
    codes = np.zeros((len(games), len(BOOKMAKERS), 4), dtype=np.int64)
    for place, game in enumerate(games):
        for number, book in enumerate(BOOKMAKERS):
            home, away = (_team_name(book, tricode) for tricode in game.tricodes)
            for outcome, name in enumerate((away, home, "Over", "Under")):
                codes[place, number, outcome] = pool.setdefault(name, len(pool))
    return list(pool), codes


def _team_name(book: Bookmaker, tricode: str) -> str:
    if book.names == "tricode":
        return tricode
    return FANDUEL_CLIPPERS if (book.key, tricode) == ("fanduel", "LAC") else TEAMS[tricode].full_name


def expected_points(people: People, sheets: Sheets) -> Floats:
    """Points that each dressed player may be expected to score, (games, 2, DRESSED)."""
    skills = people.skills
    worth = np.where(IS_THREE, 3, 2)
    shares = np.diff(skills.zone_shares, axis=1, prepend=0.0)
    per_shot = (shares * skills.make_rates * worth).sum(axis=1)
    player = np.maximum(sheets.dressed, 0)
    volume = skills.shooting[player] * sheets.target_minutes
    produced = volume * per_shot[player]
    return POINTS_OF_TEAM * produced / np.maximum(produced.sum(axis=2, keepdims=True), 1e-9)


def player_points_props(seed: int, season_year: int, people: People, games: Sequence[Game], sheets: Sheets) -> pa.Table:
    """Two feeds: one of single bookmakers for those who score, one of a consensus, with its opening line, for nearly
    all who play.
    """
    lots = _lots(seed, season_year, Purpose.PROPS, games, (2, DRESSED, 12))
    expected = expected_points(people, sheets) * (0.94 + 0.12 * lots[..., 0])
    listed = (
        (sheets.dressed != NOBODY) & (sheets.target_minutes >= LEAST_PROP_MINUTES) & (expected >= LEAST_PROP_POINTS)
    )
    primary = listed & (expected >= PRIMARY_POINTS)
    blocks = []
    for feed, (source, book, minutes) in enumerate(PROP_SNAPSHOTS):
        seen = (primary if source == "odds_api" else listed) & ((minutes >= 0) | (lots[..., 1] < AFTER_TIP_SHARE / 2))
        seen &= lots[..., 2 + (book == "fanduel")] >= 0.05
        where = np.nonzero(seen)
        unrest = 4.0 if minutes < 0 else 0.3 + minutes / 500
        line = np.floor(expected[where] + unrest * (2 * lots[..., 4 + feed][where] - 1)) + 0.5
        blocks.append(_rows(*where, feed, np.maximum(line, 0.5)))
    game, side, slot, feeds, line = _stacked(blocks)
    order = np.lexsort([feeds, slot, side, game])
    game, side, slot, feeds, line = (column[order] for column in (game, side, slot, feeds, line))
    sources, books, minutes_before = (list(column) for column in zip(*PROP_SNAPSHOTS, strict=True))
    before = np.array(minutes_before)[feeds]
    player = sheets.dressed[game, side, slot]

    tips = arrow.moment_array([known.tip for known in games])[game]
    seen_at = tips - before.astype("m8[m]")
    own_opening = np.array([source == "bettingpros" for source in sources])[feeds]
    opening = np.maximum(line + np.rint(2 * lots[game, side, slot, 11] - 1), 0.5)
    over = -110 + np.rint(20 * (lots[game, side, slot, 10] - 0.5))
    return pa.table(
        {
            "game_date": arrow.days(arrow.day_array([known.day for known in games])[game]),
            "home_team_abbr": arrow.texts([known.tricodes[HOME] for known in games], game),
            "away_team_abbr": arrow.texts([known.tricodes[AWAY] for known in games], game),
            "game_start_time": arrow.moments(tips),
            "player_lookup": arrow.texts(people.lookups, player),
            "player_name": arrow.texts(people.names, player),
            "source": arrow.texts(sources, feeds),
            "bookmaker": arrow.texts(books, feeds),
            "points_line": arrow.numbers(line, pa.float64()),
            "over_price_american": arrow.numbers(over, pa.int64()),
            "under_price_american": arrow.numbers(-220 - over, pa.int64()),
            "snapshot_timestamp": arrow.moments(seen_at),
            "minutes_before_tipoff": arrow.numbers(before, pa.int64()),
            "opening_line": arrow.numbers(opening, pa.float64(), ~own_opening),
            "processed_at": arrow.moments(seen_at + np.timedelta64(1, "m")),
        }
    )


def injury_report(seed: int, season_year: int, people: People, games: Sequence[Game], sheets: Sheets) -> pa.Table:
    """Statuses hour by hour, the evening before and on the day, until after the tip-off."""
    absent: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for place, side, player, reason in sheets.away:
        if reason is not None:
            absent.setdefault((place, side), []).append((player, reason))
    rows: list[tuple[date, int, date, str, str, str, str, str, float | None]] = []
    for place, game in enumerate(games):
        rng = stream(seed, season_year, Purpose.INJURY_REPORT, game.number)
        for side in (HOME, AWAY):
            playing = sheets.dressed[place, side]
            listed = [
                (player, int(rng.integers(len(INJURIES))), PATHS_PLAYING)
                for player in playing[playing != NOBODY].tolist()
            ]
            listed = [entry for entry in listed if rng.random() < LISTED_BUT_PLAYING_SHARE]
            missing = [(player, reason, PATHS_OUT) for player, reason in absent.get((place, side), [])]
            missing = [entry for entry in missing if rng.random() >= UNLISTED_SHARE]
            for player, reason, paths in sorted(listed + missing, key=lambda entry: people.lookups[entry[0]]):
                path = paths[int(rng.integers(len(paths)))]
                for report_day, hour, status in _reports(game, path, rng):
                    misread, confidence = rng.random() < MISREAD_SHARE, (1.0, 0.95, 0.9, None)[int(rng.integers(4))]
                    rows.append(
                        (
                            report_day,
                            hour,
                            game.day,
                            game.tricodes[side],
                            people.lookups[player],
                            STATUSES[int(rng.integers(len(STATUSES)))] if misread else status,
                            REASONS[reason].text,
                            REASONS[reason].category,
                            0.6 if misread else confidence,
                        )
                    )
    kinds = (pa.date32(), pa.int64(), pa.date32(), *[pa.string()] * 5, pa.float64())
    names = (
        "report_date",
        "report_hour",
        "game_date",
        "team",
        "player_lookup",
        "injury_status",
        "reason",
        "reason_category",
        "confidence_score",
    )
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = {name: pa.array(values, kind) for name, values, kind in zip(names, columns, kinds, strict=True)}
    published = arrow.moment_array([eastern(day, time(hour, 5)) for day, hour, *_ in rows])
    return pa.table(table | {"processed_at": arrow.moments(published)})


def _reports(game: Game, path: Sequence[str], rng: np.random.Generator) -> list[tuple[date, int, str]]:
    tip = game.tip.astimezone(EASTERN)
    chosen = np.sort(rng.choice(len(MOMENTS), size=len(path), replace=False)).tolist()
    reports = []
    for moment, status in zip(chosen, path, strict=True):
        hours = MOMENTS[moment]
        reports.append(
            (game.day - timedelta(days=1), EVENING_HOUR, status) if hours < 0 else (game.day, tip.hour - hours, status)
        )
    if rng.random() < AFTER_TIP_REPORT_SHARE:
        reports.append((game.day, tip.hour + 1, "available" if path[-1] == "out" else "out"))
    return reports


def _rows(first: Ints, *others: NDArray[Any] | int) -> list[NDArray[Any]]:
    """Columns as long as the first one."""
    return [first, *(np.broadcast_to(column, first.shape) for column in others)]


def _stacked(blocks: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]]:
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def _lots(seed: int, season_year: int, purpose: Purpose, games: Sequence[Game], shape: tuple[int, ...]) -> Floats:
    """Random numbers of every game, from its own stream."""
    lots = np.zeros((len(games), *shape))
    for place, game in enumerate(games):
        stream(seed, season_year, purpose, game.number).random(out=lots[place])
    return lots
