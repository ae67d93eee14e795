"""Landing deliveries and fetching the league's, as commands and the schedule do it; how they report it is theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from nba_assets.partitions import league_today
from nba_assets.providers.delivery import Delivery
from nba_assets.providers.landing_writer import LandingWriter
from nba_assets.providers.league.client import LeagueClient
from nba_assets.providers.league.source import CORRECTION_DAYS, LeagueSource
from nba_assets.settings import Settings

REMARKS_SHOWN = 20


@dataclass
class Landed:
    """What came of landing deliveries, also where it ended early."""

    rows: Counter[str] = field(default_factory=Counter)
    """By raw table."""
    files_written: int = 0
    remarks: list[str] = field(default_factory=list)

    def lines(self, place: object) -> list[str]:
        """The remarks, without repetitions, and a sum of it all."""
        remarks = list(dict.fromkeys(self.remarks))
        more = [f"... and {len(remarks) - REMARKS_SHOWN:,} more remarks"] if len(remarks) > REMARKS_SHOWN else []
        counts = ", ".join(f"{number:,} {name}" for name, number in sorted(self.rows.items()) if number) or "nothing"
        return [
            *remarks[:REMARKS_SHOWN],
            *more,
            f"Landed in {place}: {counts}; {self.files_written:,} files are new or changed.",
        ]


def land(settings: Settings, deliveries: Iterable[Delivery], landed: Landed) -> None:
    """Write deliveries into the landing zone of the settings and add what came of it to `landed`.

    Raises ProviderError where a delivery cannot be had or written; what was landed before it stays.
    """
    writer = LandingWriter(settings.landing_folder, settings.provider_preference)
    try:
        with writer:
            for delivery in deliveries:
                writer.write(delivery)
                landed.rows.update({name: len(found) for name, found in delivery.tables.items()})
    finally:
        landed.files_written += writer.files_written
        landed.remarks += writer.remarks


def league(
    settings: Settings,
    progress: Callable[[str], None],
    days: Sequence[date] = (),
    seasons: Sequence[int] = (),
    *,
    with_rosters: bool = False,
    offline: bool = False,
) -> LeagueSource:
    """The league's site as the settings have it; see `LeagueSource`."""
    client = LeagueClient(
        settings.league_cdn_url,
        settings.league_stats_url,
        settings.home / "responses" / "league",
        settings.league_pause_seconds,
        offline=offline,
    )
    zone, preference = settings.landing_folder, settings.provider_preference
    return LeagueSource(client, league_today(), zone, preference, progress, days, seasons, with_rosters)


def newest_days() -> list[date]:
    """What is fetched every day: today, and the days before it whose box scores the league may still correct."""
    return [league_today() - timedelta(days=days) for days in range(CORRECTION_DAYS, -1, -1)]
