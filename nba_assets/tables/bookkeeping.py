"""The tables that hold the state of all others: failed entities, built partitions, attempts, quarantined rows, what the
schedule said before it was changed.

They are written in the same transaction as the rows that they are about. Most are shared by all tables: `table_name`
says which one an entry belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from nba_assets.tables.spec import BOOKKEEPING_DATASET, Columns, Table, count, day, flag, moment, text, texts, whole

DATASET = BOOKKEEPING_DATASET

FAILURE_CATEGORIES = (
    "INSUFFICIENT_DATA",
    "EXPECTED_INCOMPLETE",
    "INCOMPLETE_UPSTREAM",
    "STALE_DATA",
    "MISSING_RAW_DATA",
    "REGISTRY_LOOKUP_FAILED",
    "CIRCUIT_BREAKER_ACTIVE",
    "PROCESSING_ERROR",
)
EXPECTED_FAILURES = ("INSUFFICIENT_DATA", "EXPECTED_INCOMPLETE", "STALE_DATA")
"""Categories that say that there are too few recent games: nothing is wrong, and only more games change it."""
HARD_FAILURE = "PROCESSING_ERROR"
BREAKER_ACTIVE = "CIRCUIT_BREAKER_ACTIVE"
WITHOUT_ROW = (HARD_FAILURE, BREAKER_ACTIVE)
"""Categories beside which an entity has no row on the date."""

ENTITY_FAILURES = Table(
    DATASET,
    "entity_failures",
    "one entity that a table has no (or no full) row for on one date",
    ("table_name", "partition_date", "entity_id"),
    "partition_date",
    (
        text("table_name", "Table that lacks the row", nullable=False),
        day("partition_date", "Date that lacks the row", nullable=False),
        text("entity_id", "player_lookup, tricode or game_id", nullable=False),
        text("entity_type", "What the entity is", nullable=False, values=("PLAYER", "TEAM", "GAME")),
        text("failure_category", "Kind of failure", nullable=False, values=FAILURE_CATEGORIES),
        text("failure_reason", "What is wrong, in words; at most 1,000 characters", nullable=False),
        flag("can_retry", "Running again may help", nullable=False),
        text(
            "failure_type",
            "Kind of gap behind the failure, where it was classified",
            values=(
                "PLAYER_DNP",
                "DATA_GAP",
                "MIXED",
                "INSUFFICIENT_HISTORY",
                "COMPLETE",
                "PROCESSING_ERROR",
                "UNKNOWN",
            ),
        ),
        flag("is_correctable", "Better raw data would correct it"),
        count("expected_record_count", "Records that should have been there"),
        count("actual_record_count", "Records that were there"),
        texts("missing_game_ids", "Games whose records were missing"),
        text(
            "resolution_status",
            "State of the entry",
            nullable=False,
            values=("UNRESOLVED", "RESOLVED", "PERMANENT", "INVESTIGATING"),
        ),
        moment("resolved_at", "When it was resolved", hashed=False),
        text("run_id", "Run that recorded it", nullable=False, hashed=False),
        moment("created_at", "When it was recorded", nullable=False, hashed=False),
    ),
    description=(
        "Entities that a table could not be computed for, with the reason; one record per entity and date. Replaced "
        "together with the table's rows "
        "of the date, on every run. Beside a PROCESSING_ERROR or CIRCUIT_BREAKER_ACTIVE the entity has no row on the "
        "date; any other record may stand beside a row, which is then not full."
    ),
    entity_column="entity_id",
)

TABLE_PARTITIONS = Table(
    DATASET,
    "table_partitions",
    "one built date of one table",
    ("table_name", "partition_date"),
    "partition_date",
    (
        text("table_name", "Table", nullable=False),
        day("partition_date", "Date", nullable=False),
        count("row_count", "Rows written for the date; 0 is a built, empty date", nullable=False),
        count("failure_count", "Failed entities of the date", nullable=False),
        text(
            "digest",
            "Hash over the date's rows, whatever their order: dates of equal content have equal digests",
            nullable=False,
        ),
        moment("newest_processed_at", "Newest processed_at among the date's rows", hashed=False),
        text("code_version", "Version of the computation", hashed=False),
        text("run_id", "Run that wrote it", nullable=False, hashed=False),
        moment(
            "written_at",
            "When the run that wrote it began to read: what came later is not in it",
            nullable=False,
            hashed=False,
        ),
        # Nullable, as what follows, so that a table that was written without it can gain it.
        moment("changed_at", "When the date's content last changed", hashed=False),
        text(
            "inputs",
            "What the date was built from: a digest of each input over what is read of it, as it stood when the run "
            "began to read. "
            "The date is stale where one of them differs now. Null for raw tables, and where it was built before this "
            "was recorded",
            hashed=False,
        ),
    ),
    description=(
        "Which dates of which tables are built, how many rows they hold and their digests. A date that "
        "was built without rows has an entry, one that was not built has none."
    ),
)

REFUSED_DATES = Table(
    DATASET,
    "refused_dates",
    "one date of one table whose newest build was refused",
    ("table_name", "partition_date"),
    "partition_date",
    (
        text("table_name", "Table", nullable=False),
        day("partition_date", "Date that was not published", nullable=False),
        text("reason", "Why it was refused", nullable=False),
        text("run_id", "Run that refused it", nullable=False, hashed=False),
        moment("refused_at", "When that run began to read", nullable=False, hashed=False),
    ),
    description=(
        "Dates that the newest build of a table refused to publish. Rows, failure records and the entry in "
        "table_partitions are those of the build "
        "before; a date that was never built has none. The next build that publishes the date removes the entry."
    ),
)

REPROCESS_ATTEMPTS = Table(
    DATASET,
    "reprocess_attempts",
    "one failed attempt at one entity of one table on one date",
    ("table_name", "partition_date", "entity_id", "attempt_number"),
    "partition_date",
    (
        text("table_name", "Table that lacks the row", nullable=False),
        day("partition_date", "Date that lacks the row", nullable=False),
        text("entity_id", "player_lookup, tricode or game_id", nullable=False),
        whole("attempt_number", "1 for the first attempt that failed, and so on", nullable=False, allowed=(1, 2.0**53)),
        moment("attempted_at", "When it failed", nullable=False, hashed=False),
        text("failure_reason", "What went wrong, in words", nullable=False),
        text(
            "input_digest",
            "Digest of the rows of this entity that its computation got to see, and of the code's version",
            nullable=False,
        ),
        flag("circuit_breaker_tripped", "The entity is not computed again until circuit_breaker_until", nullable=False),
        moment(
            "circuit_breaker_until", "Until when it is not computed; null where the breaker did not trip", hashed=False
        ),
        flag("manual_override_applied", "A person has reset the breaker", nullable=False),
        text("run_id", "Run of the attempt", nullable=False, hashed=False),
    ),
    description="Attempts that ended in a hard failure (PROCESSING_ERROR) of an entity, in runs of a single date.",
    entity_column="entity_id",
)

RAW_QUARANTINE = Table(
    DATASET,
    "raw_quarantine",
    "one raw row, or one whole file and a date that it costs, in quarantine",
    ("table_name", "partition_date", "file", "row_number"),
    "partition_date",
    (
        text("table_name", "Raw table that it was meant for", nullable=False),
        day("partition_date", "Date that it was read for", nullable=False),
        text(
            "file",
            "File in the landing zone, relative to it; bytes of its name that are not UTF-8 are escaped",
            nullable=False,
        ),
        whole("row_number", "Row within the file, from 1; 0 is the file itself", nullable=False, allowed=(0, 2.0**53)),
        text("reason", "Why it is quarantined", nullable=False),
        text(
            "content",
            "The row as read, as JSON; null for files, and for all but some of many rows that contradict each other",
        ),
        text("game_id", "Canonical id of the game that the row belongs to, where that is known"),
        text("run_id", "Run that quarantined it", nullable=False, hashed=False),
        moment("created_at", "When it was quarantined", nullable=False, hashed=False),
    ),
    description=(
        "Raw rows and files that were refused, and why. A file that cannot be used stands here once for each date of "
        "which it may hold rows; these dates have no entry in table_partitions."
    ),
)
WHOLE_FILE = 0
"""Row number under which a whole file is quarantined."""


CHANGE_COLUMNS = ("partition_date", "digest", "written_at", "changed_at")
"""Columns of the state of partitions that say whether and when a date changed."""


@dataclass(frozen=True)
class Changes:
    """Recorded digests of a table's dates, and since when each holds."""

    before: Mapping[date, tuple[str, np.datetime64]]

    @classmethod
    def of(cls, entries: Columns) -> Changes:
        """From `CHANGE_COLUMNS` of the entries of one table; a date whose change was not recorded changed when it was
        written.
        """
        since = np.where(np.isnat(entries["changed_at"]), entries["written_at"], entries["changed_at"]).astype("M8[us]")
        return cls(
            dict(zip(entries["partition_date"].tolist(), zip(entries["digest"], since, strict=True), strict=True))
        )

    def to(self, day: date, digest: str) -> tuple[bool, np.datetime64]:
        """Whether a date changes by getting this digest, and when it last changed: NaT for a change that is made only
        now.
        """
        known = self.before.get(day)
        return (False, known[1]) if known is not None and known[0] == digest else (True, np.datetime64("NaT", "us"))


UNMATCHED_NAMES = Table(
    DATASET,
    "unmatched_names",
    "one name that a table could match with no player, in one feed on one date",
    ("table_name", "partition_date", "feed", "player_lookup", "team_abbrs"),
    "partition_date",
    (
        text("table_name", "Table that read the feed", nullable=False),
        day("partition_date", "Date of the game that the name was given for", nullable=False),
        text("feed", "Raw table that holds the name", nullable=False),
        text("player_lookup", "Key of the name", nullable=False),
        text(
            "team_abbrs",
            "The team that the feed gives, or the two of the game, as `BOS` or `BOS/LAL`; empty where it gives none",
            nullable=False,
        ),
        text("player_name", "Name as the feed has it; null where it has keys alone"),
        text(
            "reason",
            "Why it matches no player: unknown_name is no player's name, several_candidates fit it, not_listed is a "
            "known player who is not listed for the game, no_game is given for a team without a game on the date",
            nullable=False,
            values=("unknown_name", "several_candidates", "not_listed", "no_game"),
        ),
        texts("candidates", "Keys of the players whom the name fits equally well", nullable=False),
        count("row_count", "Rows of the feed that bear the name", nullable=False),
        text("run_id", "Run that recorded it", nullable=False, hashed=False),
        moment("created_at", "When it was recorded", nullable=False, hashed=False),
    ),
    description=(
        "Names in a feed that a table could match with no player. Replaced together with the table's rows of "
        "the date, on every run."
    ),
)

SCHEDULE_HISTORY = Table(
    DATASET,
    "schedule_history",
    "one regular-season game as the schedule had it until a change",
    ("game_id", "known_until"),
    "game_date",
    (
        text("game_id", "The game", nullable=False),
        day("game_date", "Date for which it was scheduled", nullable=False),
        whole("season_year", "Year in which its season began", nullable=False),
        flag(
            "was_listed",
            "Whether the schedule had the game; of one that the change has added, the other columns are those that it "
            "has with it",
            nullable=False,
        ),
        flag("was_called_off", "Whether it was postponed or cancelled", nullable=False),
        text("home_team_abbr", "Home team", nullable=False),
        text("away_team_abbr", "Away team", nullable=False),
        flag("is_primetime", "National broadcast in the evening"),
        moment("known_from", "Since when the schedule was known to have it so", nullable=False),
        moment(
            "known_until",
            "When the run began to read that ingested the change; later than every earlier change of the season, "
            "whatever the clock said",
            nullable=False,
        ),
        text("run_id", "Run that ingested the change", nullable=False, hashed=False),
    ),
    description=(
        "What the schedule said of games to come before it was changed. Written in the transaction that changes the "
        "schedule, and never changed afterwards; a game without an entry was never announced otherwise since its "
        "season was first ingested. What a date looks ahead to is read as it was known before the date's first "
        "tip-off."
    ),
)

BOOKKEEPING_TABLES = (
    ENTITY_FAILURES,
    TABLE_PARTITIONS,
    REFUSED_DATES,
    REPROCESS_ATTEMPTS,
    RAW_QUARANTINE,
    UNMATCHED_NAMES,
    SCHEDULE_HISTORY,
)
