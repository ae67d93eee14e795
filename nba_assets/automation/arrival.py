"""Which runs are planned because of what has landed: a pure decision about each date's results, and about
announcements.

Results of a date are run for once they are complete, that is, once every league game of the date is final in the
schedule and has team totals, a player sheet and play-by-play; or once the deadline after the last tip-off has passed,
and then with what is missing as its reason. Announcements are run for while the first game of their date has not tipped
off, or once the date's results are in. A run is planned until the tables hold what has landed, with rows for games that
are over; how often it is launched is in `requests`.

Between two decisions only dates are remembered that wait for something, so that the state stays small. Reading files
and tables is in `sensors`.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from nba_assets.automation.planned_runs import Launch, PlannedRun, fingerprint
from nba_assets.automation.slates import Slate, league_date, slate_of, slates
from nba_assets.automation.staleness import ANNOUNCEMENTS, PartitionState, is_built_from
from nba_assets.entities.completeness import OLDEST_SNAPSHOT_DAYS
from nba_assets.raw.content_index import EARLIEST, RESULTS, ContentIndex
from nba_assets.raw.tables import (
    PLAY_BY_PLAY,
    PLAYER_BOXSCORES,
    PLAYER_GAMEBOOK,
    PLAYER_POINTS_PROPS,
    PLAYER_REGISTRY,
    ROSTERS,
    SCHEDULE,
    TEAM_BOXSCORES,
)
from nba_assets.registry import COMPUTED_TABLES, CONTEXTS, GAME_SUMMARIES
from nba_assets.settings import Settings

SUMMARY_FEEDS = (*RESULTS, PLAYER_POINTS_PROPS.name, SCHEDULE.name)
"""Raw tables of whose own date the summaries are made; none of them may be in a file that cannot be read."""

LONGEST_SILENCE = timedelta(minutes=10)
"""Longer than that between two decisions, which are due twice a minute, is worth a line in the log."""

TEAMS_IN_A_GAME = 2
ONE_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Seen:
    """Incomplete content of a date, and since when it is there."""

    content: str
    since: datetime


Sightings = Mapping[date, Seen]


@dataclass(frozen=True)
class State:
    """What is remembered between two decisions: the dates of which results are incomplete, and when the last one was
    made.
    """

    results: Sightings = field(default_factory=dict)
    decided_at: datetime | None = field(default=None, compare=False)

    def to_json(self) -> str:
        """For a cursor."""
        plain = {day.isoformat(): [seen.content, seen.since.isoformat()] for day, seen in sorted(self.results.items())}
        decided = {} if self.decided_at is None else {"decided_at": self.decided_at.isoformat()}
        return json.dumps({"results": plain, **decided}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> State:
        """From a cursor; one that cannot be read counts as none: incomplete dates then wait anew until they no
        longer change.
        """
        try:
            plain = json.loads(text or "{}")
            decided_at = plain.get("decided_at")
            return cls(
                {
                    date.fromisoformat(day): Seen(content, datetime.fromisoformat(since).astimezone(UTC))
                    for day, (content, since) in plain.get("results", {}).items()
                },
                None if decided_at is None else datetime.fromisoformat(decided_at).astimezone(UTC),
            )
        except (ValueError, TypeError, AttributeError):
            return cls()


@dataclass(frozen=True)
class Decision:
    """The runs that are planned, the most urgent first, what to remember, and why other dates are not run for."""

    planned: list[PlannedRun]
    state: State
    notes: list[str]
    clock: str | None = None
    """What is odd about the time since the last decision; None where nothing is."""


def decide(
    state: State, landed: ContentIndex, partition_state: PartitionState, now: datetime, settings: Settings
) -> Decision:
    """Which runs are planned, going by what has landed and by the state of the partitions (`partition_state`)."""
    today = league_date(now)
    decision = _Decisions(state.results, landed, partition_state, slates(landed.schedule), now, settings)
    if today >= EARLIEST:
        decision.announcements_of_today(today)
    decision.whole_seasons(today)
    for day in sorted({*state.results, *landed.dates(RESULTS)}):
        if EARLIEST <= day <= today:
            decision.results(day)
        else:
            decision.keep(day)
    decision.rosters_between_games(today)
    for day in landed.dates(ANNOUNCEMENTS):
        if EARLIEST <= day < today:
            decision.late_announcements(day)
    return Decision(
        decision.planned, State(decision.kept, now), decision.notes, _oddity_of_clock(state.decided_at, now)
    )


def _oddity_of_clock(before: datetime | None, now: datetime) -> str | None:
    """A clock that was set back, or a time without decisions: nothing depends on it, it explains what came late."""
    if before is None or timedelta(0) <= now - before <= LONGEST_SILENCE:
        return None
    if now < before:
        return (
            f"the clock was set back: the last decision was at {before:%Y-%m-%d %H:%M:%S} UTC, it is {now:%H:%M:%S} now"
        )
    return (
        f"no decision for {(now - before) // timedelta(minutes=1)} minutes, since {before:%Y-%m-%d %H:%M} UTC: the "
        "sensor was off, the daemon or the machine did not run, a tick did not come to its end, or the clock was set "
        "forward"
    )


@dataclass
class _Decisions:
    """The situation, and what is decided of it date by date."""

    known: Sightings
    landed: ContentIndex
    partition_state: PartitionState
    slates: Mapping[date, Slate]
    now: datetime
    settings: Settings
    planned: list[PlannedRun] = field(default_factory=list)
    kept: dict[date, Seen] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def results(self, day: date) -> None:
        """Decide about the results of a date."""
        if not self.landed.is_known((*SUMMARY_FEEDS, PLAYER_REGISTRY.name), day):
            self.keep(day)
            self.notes.append(f"{day} waits: there was no time yet to read its files")
            return
        digests = self.landed.digests(SUMMARY_FEEDS, day)
        slate = slate_of(self.slates, day)
        games = {game for name in RESULTS for game in self.landed.tables[name].games.get(day, ())}
        is_league_date = bool(slate.games or slate.besides) or not games <= slate.known
        if not games or not is_league_date or self._has_results(digests, slate, games, day):
            return
        content = _fingerprint(digests)
        missing = list(_missing(self.landed, slate, games, day))
        if missing:
            deadline = self._deadline(day, content, slate)
            if self.now < deadline:
                self.notes.append(f"{day} waits: {'; '.join(missing)} (until {deadline:%Y-%m-%d %H:%M} UTC)")
                return
        trigger, unreadable = "deadline" if missing else "results", "; ".join(_unreadable(self.landed, day))
        self.planned.append(
            PlannedRun(
                Launch("postgame", (), day, day), f"postgame:{day}:{content}", trigger, "; ".join(missing), unreadable
            )
        )

    def announcements_of_today(self, today: date) -> None:
        """Decide about the announcements of today, as long as its first game has not tipped off."""
        slate = slate_of(self.slates, today)
        if not slate.games or self.now >= slate.first_tip:
            return
        # The schedule alone announces nothing yet; once the date has contexts, a change of it is news.
        has_contexts = any(self.partition_state[name].at(today) for name in CONTEXTS)
        self._announcements(
            today, (*ANNOUNCEMENTS, SCHEDULE.name) if has_contexts or self.landed.digests(ANNOUNCEMENTS, today) else ()
        )

    def late_announcements(self, day: date) -> None:
        """Decide about announcements of a past date that came after its results: its pregame tables are built (again)
        with them, where they are built, or should be.
        """
        built = [self.partition_state[name].at(day) is not None for name in CONTEXTS]
        if not self._has_summaries(day) or not (any(built) or self._follows_a_date_with_summaries(day)):
            return
        # A context that is missing was refused: only other announcements make a difference to it.
        news = all(built) or not _holds(self.partition_state, self.landed.digests(ANNOUNCEMENTS, day), day)
        # Where results have landed that are not ingested, a run of theirs brings the announcements in as well.
        if (
            news
            and self.landed.is_known(SUMMARY_FEEDS, day)
            and _holds(self.partition_state, self.landed.digests(SUMMARY_FEEDS, day), day)
        ):
            self._announcements(day, ANNOUNCEMENTS)

    def whole_seasons(self, today: date) -> None:
        """Decide about what no date's own content asks for: a season's registry, and the schedule of a built date that
        has no games any more.

        What is stale because of them is found once they are ingested.
        """
        built = sorted(
            day
            for day in {*self.partition_state[CONTEXTS[0]].places, *self.partition_state[GAME_SUMMARIES[0]].places}
            if EARLIEST <= day <= today
        )
        for name in (PLAYER_REGISTRY.name, SCHEDULE.name):
            for day, digest in sorted(self.landed.tables[name].digests.items()):
                known = self.landed.is_known((name,), day) and self.landed.tables[name].trouble(day) is None
                if not known or _holds(self.partition_state, {name: digest}, day):
                    continue
                if name == PLAYER_REGISTRY.name:
                    run_for = max((one for one in built if day <= one < day + ONE_YEAR), default=None)
                else:
                    # Where there still are games, their results or announcements bring the schedule in as well.
                    context = (
                        self.partition_state[CONTEXTS[0]].at(day)
                        if day <= today and not slate_of(self.slates, day).games
                        else None
                    )
                    run_for = day if context is not None and context.row_count else None
                if run_for is not None:
                    launch = Launch("pregame", (name,), run_for, run_for)
                    self.planned.append(
                        PlannedRun(launch, f"pregame:{name}:{day}:{digest}", "season_feed", f"new: {name}")
                    )

    def rosters_between_games(self, today: date) -> None:
        """Decide about rosters of dates without games, which the pregame tables of the next games read: one run for
        those between the same two dates with games.

        What is stale because of them is found once they are ingested.
        """
        name = ROSTERS.name
        news: dict[date, dict[date, str]] = {}
        for day, digest in sorted(self.landed.tables[name].digests.items()):
            following = bisect_left(self.game_days, day)
            if not EARLIEST <= day <= today or following == len(self.game_days):
                continue
            games = self.game_days[following]
            is_read = 0 < (games - day).days <= OLDEST_SNAPSHOT_DAYS
            known = self.landed.is_known((name,), day) and self.landed.tables[name].trouble(day) is None
            if is_read and known and not _holds(self.partition_state, {name: digest}, day):
                news.setdefault(games, {})[day] = digest
        for digests in news.values():
            launch = Launch("pregame", (name,), min(digests), max(digests))
            key = fingerprint(f"{day} {digest}" for day, digest in digests.items())
            run_key = f"pregame:{name}:{launch.start}:{launch.end}:{key}"
            self.planned.append(PlannedRun(launch, run_key, "announcements", f"new: {name}"))

    def _has_summaries(self, day: date) -> bool:
        return all(self.partition_state[name].at(day) for name in GAME_SUMMARIES)

    def _follows_a_date_with_summaries(self, day: date) -> bool:
        """Whether `staleness` plans the pregame tables of the date, also without announcements."""
        place = bisect_left(self.game_days, day)
        return place > 0 and self._has_summaries(self.game_days[place - 1])

    @cached_property
    def game_days(self) -> list[date]:
        """Dates with games that count, ascending."""
        return sorted(day for day, slate in self.slates.items() if slate.games)

    def keep(self, day: date) -> None:
        """Leave what is remembered of the date as it was."""
        if day in self.known:
            self.kept[day] = self.known[day]

    def _deadline(self, day: date, content: str, slate: Slate) -> datetime:
        """When incomplete results are run for; remembers since when they are what they are, no longer ago than the
        clock says.
        """
        seen = self.known.get(day)
        since = self.now if seen is None or seen.content != content else min(seen.since, self.now)
        self.kept[day] = Seen(content, since)
        return max(
            slate.last_tip + timedelta(hours=self.settings.results_deadline_hours),
            since + timedelta(minutes=self.settings.settle_minutes),
        )

    def _has_results(self, digests: Mapping[str, str], slate: Slate, games: Collection[str], day: date) -> bool:
        """Whether the tables hold what has landed of a date, and summaries of it, with rows where landed games are
        over.
        """
        if not _holds(self.partition_state, digests, day) or not _has_postgame(self.partition_state, day):
            return False
        return not slate.finals & set(games) or all(
            (entry := self.partition_state[name].at(day)) is not None and entry.row_count for name in GAME_SUMMARIES
        )

    def _announcements(self, day: date, names: Sequence[str]) -> None:
        if not self.landed.is_known(names, day):
            self.notes.append(f"{day} waits: there was no time yet to read its announcements")
            return
        digests = self.landed.digests(names, day)
        # Contexts that are older than what is ingested are decided about in `staleness`.
        if not digests or (
            _holds(self.partition_state, digests, day) and all(self.partition_state[name].at(day) for name in CONTEXTS)
        ):
            return
        new = [
            name
            for name, digest in sorted(digests.items())
            if (entry := self.partition_state[name].at(day)) is None or entry.digest != digest
        ]
        because = f"new: {', '.join(new)}" if new else ""
        unreadable = "; ".join(_unreadable(self.landed, day, names))
        self.planned.append(
            PlannedRun(
                Launch("pregame", (), day, day),
                f"pregame:{day}:{_fingerprint(digests)}",
                "announcements",
                because,
                unreadable,
            )
        )


def _fingerprint(digests: Mapping[str, str]) -> str:
    return fingerprint(f"{name} {digest}" for name, digest in sorted(digests.items()))


def _unreadable(
    landed: ContentIndex, day: date, names: Sequence[str] = (*SUMMARY_FEEDS, PLAYER_REGISTRY.name)
) -> Iterator[str]:
    """The first file of each table that cannot be read, in words."""
    for name in names:
        if (trouble := landed.tables[name].trouble(day)) is not None:
            yield f"{name} cannot be read: {trouble}"


def _missing(landed: ContentIndex, slate: Slate, games: Collection[str], day: date) -> Iterator[str]:
    """What is still to come of a date, in words."""
    yield from _unreadable(landed, day)
    rows = {name: landed.tables[name].games.get(day, {}) for name in RESULTS}
    lacking = {
        "not final": [game for game in slate.games if game not in slate.finals],
        "no team totals": [game for game in slate.games if rows[TEAM_BOXSCORES.name].get(game, 0) < TEAMS_IN_A_GAME],
        "no player sheet": [
            game
            for game in slate.games
            if not rows[PLAYER_GAMEBOOK.name].get(game) and not rows[PLAYER_BOXSCORES.name].get(game)
        ],
        "no play-by-play": [game for game in slate.games if not rows[PLAY_BY_PLAY.name].get(game)],
        "rows that contradict each other": sorted(
            {game for name in RESULTS for game in landed.tables[name].conflicts.get(day, ())}
        ),
        "not in the schedule": sorted(set(games) - slate.known),
    }
    yield from (f"{what}: {', '.join(which)}" for what, which in lacking.items() if which)


def _holds(partition_state: PartitionState, digests: Mapping[str, str], day: date) -> bool:
    """Whether the state of partitions hold what has landed of a date."""
    return all(
        (entry := partition_state[name].at(day)) is not None and entry.digest == digest
        for name, digest in digests.items()
    )


def _has_postgame(partition_state: PartitionState, day: date) -> bool:
    """Whether the summaries of a date were built from what is ingested of it."""
    built = [(COMPUTED_TABLES[name], partition_state[name].at(day)) for name in GAME_SUMMARIES]
    return all(entry is not None and is_built_from(entry, table.inputs, partition_state, day) for table, entry in built)
