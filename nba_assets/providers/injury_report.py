"""The league's official injury report as rows of `injury_report`, from CSV or JSON rows as readers of the report's
pages write them.

Columns are known by their words in any spelling: Game Date, Matchup, Team, Player Name ("Last, First"), Current Status,
Reason. When the report was made is said by a column (Report Time, Reported At, Timestamp), else by the file's name, as
`Injury-Report_2025-12-22_05_15PM.csv`; US-Eastern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nba_assets.basketball.names import player_lookup
from nba_assets.basketball.teams import team_tricode
from nba_assets.providers.delivery import Delivery, ProviderError, Row
from nba_assets.providers.files import newest_change, read_frame, records
from nba_assets.raw.tables import INJURY_REPORT

PROVIDER = "injury-report"
EASTERN = ZoneInfo("America/New_York")

COLUMNS = {
    "game_date": ("gamedate",),
    "team": ("team", "teamname"),
    "player": ("playername", "player"),
    "status": ("currentstatus", "status"),
    "reason": ("reason",),
}
"""What the columns may be called, in small letters only."""
REPORT_TIME = ("reporttime", "reportedat", "reporttimestamp", "timestamp")

_IN_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{1,2})(?:_(\d{2}))?_?([AP]M)", re.IGNORECASE)


@dataclass(frozen=True)
class InjuryReportFolder:
    """The reports that are kept as CSV or JSON files in a folder, at any depth."""

    folder: Path

    def deliveries(self) -> Iterator[Delivery]:
        """One delivery per game date. Raises ProviderError where a file lacks a column, or its report has no time."""
        by_day: dict[date, list[Row]] = {}
        files = [file for file in sorted(self.folder.rglob("*")) if file.suffix.lower() in (".csv", ".json")]
        if not files:
            raise ProviderError(f"{self.folder} holds no CSV or JSON file")
        for file in files:
            try:
                for row in report_rows(_read(file), time_in_name(file.name)):
                    by_day.setdefault(row["game_date"], []).append(row)
            except (ValueError, AttributeError) as error:
                raise ProviderError(f"{file} cannot be read as an injury report: {error}") from error
        processed_at = newest_change(files)
        for _, rows in sorted(by_day.items()):
            yield Delivery(PROVIDER, processed_at, {INJURY_REPORT.name: rows})


def report_rows(entries: Iterable[Mapping[str, Any]], made: datetime | None = None) -> Iterator[Row]:
    """Rows of a report that was `made` at a moment; a time in the rows themselves counts first.

    Teams that have not reported yet are left out.

    Raises ValueError for rows that lack a column or have no report time.
    """
    for entry in entries:
        words = {re.sub("[^a-z]", "", name.lower()): value for name, value in entry.items()}
        found = {
            name: next((words[word] for word in spelled if word in words), None) for name, spelled in COLUMNS.items()
        }
        stamp = next((words[word] for word in REPORT_TIME if words.get(word)), None)
        reported = made if stamp is None else _eastern(datetime.fromisoformat(str(stamp)))
        if reported is None:
            raise ValueError("neither a column Report Time nor the file's name says when the report was made")
        if missing := [name for name, spelled in COLUMNS.items() if not any(word in words for word in spelled)]:
            raise ValueError(f"lacks the column {missing[0]}")
        if not found["player"]:
            continue
        local = reported.astimezone(EASTERN)
        reason = found["reason"] or None
        yield {
            "report_date": local.date(),
            "report_hour": local.hour,
            "reported_at": reported,
            "game_date": _day(str(found["game_date"])),
            "team": team_tricode(str(found["team"])) or found["team"],
            "player_lookup": player_lookup(str(found["player"])),
            "injury_status": found["status"],
            "reason": reason,
            "reason_category": None if reason is None else str(reason).partition(" - ")[0],
        }


def time_in_name(name: str) -> datetime | None:
    """When a report was made by the name of its file.

    Example: `Injury-Report_2025-12-22_05_15PM.csv` is 17:15 US-Eastern, `..._05PM` 17:00.
    """
    found = _IN_NAME.search(name)
    if found is None:
        return None
    hour = int(found[2]) % 12 + (12 if found[4].upper() == "PM" else 0)
    return _eastern(
        datetime.combine(date.fromisoformat(found[1]), datetime.min.time()).replace(
            hour=hour, minute=int(found[3] or 0)
        )
    )


def _eastern(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=EASTERN)).astimezone(UTC)


def _day(text: str) -> date:
    """The report writes its dates as MM/DD/YYYY."""
    return datetime.strptime(text, "%m/%d/%Y").date() if "/" in text else date.fromisoformat(text[:10])


def _read(file: Path) -> list[dict[str, Any]]:
    if file.suffix.lower() == ".csv":
        return records(read_frame(file, texts=True))
    rows: list[dict[str, Any]] = json.loads(file.read_bytes())
    return rows
