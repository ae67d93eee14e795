"""What is to be run because of what has landed: a pure decision about each date's results, and about announcements.

Results of a date are run for once they are complete, that is, once every league game of the date is final in the schedule and has team totals, a player
sheet and play-by-play; or once the deadline after the last tip-off has passed, and then with word of what is missing. Announcements are run for while the
first game of their date has not tipped off, or once the date's results are in. What the books hold already is asked for no more, and no content of a date
is asked for twice: a run that failed is a person's business, new content is tried again.

Between two decisions only dates are remembered that wait for something, so that the state stays small. Reading files and books is `sensors`' business.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from nba_assets.operations.jobs import CONTEXTS, GAME_SUMMARIES
from nba_assets.operations.launch import Launch
from nba_assets.operations.slates import Slate, league_date, slate_of, slates
from nba_assets.operations.staleness import ANNOUNCEMENTS, Books, is_built_from
from nba_assets.operations.wanted import Wanted, fingerprint
from nba_assets.raw.landed_content import EARLIEST, RESULTS, LandedContent
from nba_assets.raw.tables import (
    PLAY_BY_PLAY,
    PLAYER_BOXSCORES,
    PLAYER_GAMEBOOK,
    PLAYER_POINTS_PROPS,
    PLAYER_REGISTRY,
    SCHEDULE,
    TEAM_BOXSCORES,
)
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings

SUMMARISED = (*RESULTS, PLAYER_POINTS_PROPS.name, SCHEDULE.name)
"""Raw tables of whose own date the summaries are made; none of them may be in a file that cannot be read."""

TEAMS_IN_A_GAME = 2


@dataclass(frozen=True)
class Seen:
    """Content of a date that is not in the books yet: since when it is there, and what was asked for last, how often."""

    content: str
    since: datetime
    asked: str | None = None
    times: int = 0


Sightings = Mapping[date, Seen]


@dataclass(frozen=True)
class State:
    """What is remembered between two decisions: dates that wait, or whose run is not in the books yet."""

    results: Sightings = field(default_factory=dict)
    announcements: Sightings = field(default_factory=dict)

    def to_json(self) -> str:
        """For a cursor."""
        return json.dumps({"results": _plain(self.results), "announcements": _plain(self.announcements)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> State:
        """From a cursor; one that cannot be read counts as none, and run keys see to it that nothing is run twice for that."""
        try:
            known = json.loads(text or "{}")
            return cls(*(_sightings(known.get(name, {})) for name in ("results", "announcements")))
        except (ValueError, TypeError, AttributeError):
            return cls()


@dataclass(frozen=True)
class Decision:
    """The runs that are wanted now, what to remember, and what to tell whoever asks why nothing happens."""

    wanted: list[Wanted]
    state: State
    notes: list[str]


def decide(state: State, landed: LandedContent, books: Books, now: datetime, settings: Settings, running: Collection[date] = frozenset()) -> Decision:
    """What to run now; `running` are dates that an unfinished run works on: they wait for its end."""
    situation = _Situation(landed, books, slates(landed.schedule), now, settings, running)
    today = league_date(now)
    results, announcements = _Ledger(state.results, situation), _Ledger(state.announcements, situation)
    due = _today(announcements, today) if today >= EARLIEST else []
    for day in results.days(RESULTS):
        if EARLIEST <= day <= today:
            due += _results(results, day)
        else:
            results.keep(day)
    for day in announcements.days(ANNOUNCEMENTS):
        if EARLIEST <= day < today:
            due += _late_announcements(announcements, day)
        elif day != today:
            announcements.keep(day)
    seasonal = list(_whole_seasons(results.situation, today))
    wanted = [*seasonal, *(one.ledger.ask(one) for one in due[: settings.requests_per_tick])]
    for one in due[settings.requests_per_tick :]:
        one.ledger.postpone(one)
    notes = [*results.notes, *announcements.notes]
    if len(due) > len(wanted):
        notes.append(f"{len(due) - len(wanted)} more dates are due and wait for the next look")
    return Decision(wanted, State(results.kept, announcements.kept), notes)


@dataclass(frozen=True)
class _Situation:
    landed: LandedContent
    books: Books
    slates: Mapping[date, Slate]
    now: datetime
    settings: Settings
    running: Collection[date]


@dataclass(frozen=True)
class _Due:
    """A date that is to be run for now, unless too many are."""

    ledger: _Ledger
    day: date
    job: str
    trigger: str
    because: str
    before: object
    """Tells this state of the books from every other, so that content which comes back after other content is run for again."""


@dataclass
class _Ledger:
    """What is remembered of dates while they are decided about."""

    known: Sightings
    situation: _Situation
    kept: dict[date, Seen] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def days(self, names: Sequence[str]) -> list[date]:
        """The dates that are remembered, or of which something has landed in the named tables; ascending."""
        return sorted({*self.known, *(day for name in names for day in self.situation.landed.tables[name].digests)})

    def see(self, day: date, content: str) -> Seen:
        """Remember that the date has this content; a moment of the future, from a clock that was set back since, counts as now."""
        now, seen = self.situation.now, self.known.get(day)
        if seen is None:
            seen = Seen(content, now)
        elif seen.content != content:
            seen = replace(seen, content=content, since=now)
        self.kept[day] = replace(seen, since=min(seen.since, now))
        return self.kept[day]

    def keep(self, day: date) -> None:
        """Leave what is remembered of the date as it was."""
        if day in self.known:
            self.kept[day] = self.known[day]

    def waits(self, day: date, why: str) -> list[_Due]:
        """Note why the date is not run for now."""
        self.notes.append(f"{day} waits: {why}")
        return []

    def ask(self, due: _Due) -> Wanted:
        """The request for a date, remembered as asked for."""
        seen = self.kept[due.day]
        self.kept[due.day] = replace(seen, asked=seen.content, times=seen.times + 1)
        key = f"{due.job}:{due.day}:{seen.content}:{fingerprint([due.before, seen.times])}"
        return Wanted(Launch(due.job, (), due.day, due.day), key, due.trigger, due.because)

    def postpone(self, due: _Due) -> None:
        """Forget a date that is looked at again anyhow; one that was asked for or has waited is remembered."""
        if self.kept[due.day].asked is None and due.trigger != "deadline":
            del self.kept[due.day]


def _results(ledger: _Ledger, day: date) -> list[_Due]:
    """The results of a date: the request that is due, if any."""
    now, landed, books = ledger.situation.now, ledger.situation.landed, ledger.situation.books
    if not landed.is_known((*SUMMARISED, PLAYER_REGISTRY.name), day):
        ledger.keep(day)
        return ledger.waits(day, "there was no time yet to read its files")
    digests = landed.digests(SUMMARISED, day)
    slate = slate_of(ledger.situation.slates, day)
    games = {game for name in RESULTS for game in landed.tables[name].games.get(day, ())}
    if not games or (not slate.games and not slate.besides and games <= slate.known) or (_holds(books, digests, day) and _is_summarised(books, day)):
        return []
    content = fingerprint(f"{name} {digest}" for name, digest in sorted(digests.items()))
    seen = ledger.see(day, content)
    if seen.asked == content:
        return []
    if day in ledger.situation.running:
        return ledger.waits(day, "a run works on it")
    missing = list(_missing(landed, slate, games, day))
    if missing:
        settings = ledger.situation.settings
        deadline = max(
            slate.last_tip + timedelta(hours=settings.results_deadline_hours),
            seen.since + timedelta(minutes=settings.settle_minutes),
        )
        if now < deadline:
            return ledger.waits(day, f"{'; '.join(missing)} (until {deadline:%Y-%m-%d %H:%M} UTC)")
    return [_Due(ledger, day, "postgame", "deadline" if missing else "results", "; ".join(missing), _runs(books, GAME_SUMMARIES, day))]


def _missing(landed: LandedContent, slate: Slate, games: Collection[str], day: date) -> Iterator[str]:
    """What is still to come of a date, in words."""
    for name in (*SUMMARISED, PLAYER_REGISTRY.name):
        if (trouble := landed.tables[name].trouble(day)) is not None:
            yield f"{name} cannot be read: {trouble}"
    rows = {name: landed.tables[name].games.get(day, {}) for name in RESULTS}
    lacking = {
        "not final": [game for game in slate.games if game not in slate.finals],
        "no team totals": [game for game in slate.games if rows[TEAM_BOXSCORES.name].get(game, 0) < TEAMS_IN_A_GAME],
        "no player sheet": [game for game in slate.games if not rows[PLAYER_GAMEBOOK.name].get(game) and not rows[PLAYER_BOXSCORES.name].get(game)],
        "no play-by-play": [game for game in slate.games if not rows[PLAY_BY_PLAY.name].get(game)],
        "rows that contradict each other": sorted({game for name in RESULTS for game in landed.tables[name].conflicts.get(day, ())}),
        "not in the schedule": sorted(set(games) - slate.known),
    }
    yield from (f"{what}: {', '.join(which)}" for what, which in lacking.items() if which)


def _today(ledger: _Ledger, today: date) -> list[_Due]:
    """The announcements of today, as long as its first game has not tipped off."""
    slate = slate_of(ledger.situation.slates, today)
    if not slate.games or ledger.situation.now >= slate.first_tip:
        return []
    # The schedule alone announces nothing yet; once the games are described, a change of it is news.
    described = any(ledger.situation.books[name].at(today) for name in CONTEXTS)
    names = (*ANNOUNCEMENTS, SCHEDULE.name) if described or ledger.situation.landed.digests(ANNOUNCEMENTS, today) else ()
    return _announcements(ledger, today, names)


def _late_announcements(ledger: _Ledger, day: date) -> list[_Due]:
    """Announcements of a past date that came after its results: its descriptions are made again with them, where there are any."""
    landed, books = ledger.situation.landed, ledger.situation.books
    if not all(books[name].at(day) for name in (*CONTEXTS, *GAME_SUMMARIES)):
        return []
    if not landed.is_known(SUMMARISED, day):
        ledger.keep(day)
        return []
    if not _holds(books, landed.digests(SUMMARISED, day), day):
        return []  # a run of the results brings them in as well
    return _announcements(ledger, day, ANNOUNCEMENTS)


def _announcements(ledger: _Ledger, day: date, names: Sequence[str]) -> list[_Due]:
    landed, books = ledger.situation.landed, ledger.situation.books
    if not landed.is_known(names, day):
        ledger.keep(day)
        return ledger.waits(day, "there was no time yet to read its announcements")
    digests = landed.digests(names, day)
    # Descriptions that are older than what the books hold are `staleness`' business.
    if not digests or (_holds(books, digests, day) and all(books[name].at(day) for name in CONTEXTS)):
        return []
    content = fingerprint(f"{name} {digest}" for name, digest in sorted(digests.items()))
    if ledger.see(day, content).asked == content:
        return []
    if day in ledger.situation.running:
        return ledger.waits(day, "a run works on it")
    new = [name for name, digest in sorted(digests.items()) if (entry := books[name].at(day)) is None or entry.digest != digest]
    return [_Due(ledger, day, "pregame", "announcements", f"new: {', '.join(new)}" if new else "", _runs(books, CONTEXTS, day))]


def _runs(books: Books, names: Sequence[str], day: date) -> list[str]:
    """The runs that built the date's tables."""
    return [entry.run_id for name in names if (entry := books[name].at(day)) is not None]


def _whole_seasons(situation: _Situation, today: date) -> Iterator[Wanted]:
    """Requests that ingest what no date's own content asks for: a season's registry, and the schedule of a built date that has no games any more.

    What is stale because of them is found once they are ingested. The keys are those of the content, so that it is asked for once.
    """
    landed, books = situation.landed, situation.books
    built = sorted(day for day in {*books[CONTEXTS[0]].places, *books[GAME_SUMMARIES[0]].places} if EARLIEST <= day <= today)
    for name in (PLAYER_REGISTRY.name, SCHEDULE.name):
        for day, digest in sorted(landed.tables[name].digests.items()):
            if _holds(books, {name: digest}, day) or not landed.is_known((name,), day) or landed.tables[name].trouble(day) is not None:
                continue
            if name == PLAYER_REGISTRY.name:
                run_for = max((one for one in built if day <= one < day.replace(year=day.year + 1)), default=None)
            else:
                # Where there still are games, their results or announcements bring the schedule in as well.
                context = books[CONTEXTS[0]].at(day) if day <= today and not slate_of(situation.slates, day).games else None
                run_for = day if context is not None and context.row_count else None
            if run_for is not None and run_for not in situation.running:
                held = books[name].at(day)
                key = f"pregame:{name}:{day}:{digest}:{fingerprint([held and held.run_id])}"
                yield Wanted(Launch("pregame", (name,), run_for, run_for), key, "season_feed", f"new: {name}")


def _holds(books: Books, digests: Mapping[str, str], day: date) -> bool:
    """Whether the books hold what has landed of a date."""
    return all((entry := books[name].at(day)) is not None and entry.digest == digest for name, digest in digests.items())


def _is_summarised(books: Books, day: date) -> bool:
    """Whether the summaries of a date were built from what is ingested of it."""
    built = [(COMPUTED_TABLES[name], books[name].at(day)) for name in GAME_SUMMARIES]
    return all(entry is not None and is_built_from(entry, table.inputs, books, day) for table, entry in built)


def _plain(sightings: Sightings) -> dict[str, list[object]]:
    return {day.isoformat(): [seen.content, seen.since.isoformat(), seen.asked, seen.times] for day, seen in sorted(sightings.items())}


def _sightings(plain: Mapping[str, Sequence[str]]) -> Sightings:
    return {
        date.fromisoformat(day): Seen(content, datetime.fromisoformat(since).astimezone(UTC), asked, int(times))
        for day, (content, since, asked, times) in plain.items()
    }
