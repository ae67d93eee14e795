"""What a run did not publish, and what it reported of its inputs: from what it wrote into the warehouse, and from its
failed checks.

The command line prints it last and takes its exit code from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import dagster as dg

from nba_assets.orchestration.raw_assets import COMMON_FAULTS, NOTICES, ROWS_ACCEPTED, ROWS_NOT_UNDERSTOOD
from nba_assets.publishing.refusals import Refusal, grouped, stored_refusals
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, HARD_FAILURE, RAW_QUARANTINE, WHOLE_FILE
from nba_assets.tables.spec import SHARED_NOTICES, Table
from nba_assets.warehouse.interface import Warehouse
from nba_assets.wording import counted

MISSING_RAW_DATA = "MISSING_RAW_DATA"
SHOWN = 50


class ExitCode(IntEnum):
    """How a run ended, as an exit code; 2 is a command that was not understood."""

    PUBLISHED = 0
    DAMAGED = 1
    """A date was refused, a step or an entity failed hard, or a file could not be read."""
    ODD = 3
    """Everything was published, but some of the data should be looked at."""


@dataclass(frozen=True)
class Reported:
    """What a check reported of the inputs: how many, and the first of them."""

    count: int
    example: str


@dataclass(frozen=True)
class Damage:
    """What a run did not publish, and what it reported of its inputs."""

    refused: list[Refusal]
    hard_failures: Mapping[str, Counter[str]]
    """Of each table, by the rule that was broken or the kind of exception."""
    missing_raw_data: Mapping[str, int]
    """Entities of each table whose raw data is missing."""
    unusable_files: list[str]
    quarantined: Mapping[str, int]
    """Rows of each raw table."""
    quarantine_examples: Mapping[str, str]
    """One quarantined row of each raw table: its file, row number and reason; where most rows of a file have one fault,
    what is wrong with the file.
    """
    notices: Mapping[str, Reported]
    """Reported inputs, by table and check."""

    @property
    def exit_code(self) -> ExitCode:
        """What the exit code of the run is, as far as its steps succeeded."""
        if self.refused or self.hard_failures or self.unusable_files:
            return ExitCode.DAMAGED
        return ExitCode.ODD if self.quarantined or self.missing_raw_data or self.notices else ExitCode.PUBLISHED

    def lines(self) -> Iterator[str]:
        """One line per finding, the most serious first: of each refused date, and each file that cannot be used."""
        yield from map(str, self.refused[:SHOWN])
        if len(self.refused) > SHOWN:
            yield f"and {len(self.refused) - SHOWN} more refused dates; nba-assets status lists all of them"
        yield from self._below(self.unusable_files)

    def summary(self) -> Iterator[str]:
        """The same for a person: refused dates by their root cause, and of files those that no refusal names."""
        refused = list(grouped(self.refused))
        files = {file: file.partition(": ")[2] for file in self.unusable_files}
        for line in refused[:SHOWN]:
            is_of_a_file = any(said in line for said in files.values())
            yield f"{line.removesuffix('.')}; replace or remove the file, and run again" if is_of_a_file else line
        if len(refused) > SHOWN:
            yield f"and {len(refused) - SHOWN} more causes of refused dates; nba-assets status lists all of them"
        yield from self._below(file for file, said in files.items() if not any(said in line for line in refused))

    def _below(self, unusable_files: Iterable[str]) -> Iterator[str]:
        for file in unusable_files:
            yield f"{file.removesuffix('.')}; replace or remove the file, and run the date again"
        for table, rules in self.hard_failures.items():
            said = ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
            entities = counted(rules.total(), "entity", "entities")
            yield (
                f"{table}: {entities} failed hard ({said}); see nba-assets failures --category {HARD_FAILURE} "
                f"--table {table}"
            )
        for table, count in self.missing_raw_data.items():
            yield (
                f"{table}: raw data is lacking for {counted(count, 'entity', 'entities')}; see nba-assets failures "
                f"--category {MISSING_RAW_DATA} --table {table}"
            )
        for table, count in self.quarantined.items():
            yield (
                f"{table}: {counted(count, 'row')} quarantined, e.g. {self.quarantine_examples[table]}; see nba-assets "
                f"quarantine --table {table}"
            )
        for check, reported in self.notices.items():
            yield (
                f"{check}: {reported.count:,} reported, e.g. {reported.example.removesuffix('.')}; see the check in "
                "the UI"
            )


def damage_of(warehouse: Warehouse, instance: dg.DagsterInstance, run_id: str) -> Damage:
    """What a run did not publish and what it reported of its inputs."""
    with warehouse.session():
        refused = [refusal for refusal in stored_refusals(warehouse, list(COMPUTED_TABLES)) if refusal.run_id == run_id]
        names = ("table_name", "failure_category", "failure_reason")
        failures = warehouse.read(ENTITY_FAILURES, names, date.min, date.max, {"run_id": run_id}).to_pylist()
        quarantined = warehouse.read(
            RAW_QUARANTINE, ("table_name", "file", "row_number", "reason"), date.min, date.max, {"run_id": run_id}
        ).to_pylist()
    rules: dict[str, Counter[str]] = {}
    for failure in failures:
        if failure["failure_category"] == HARD_FAILURE:
            rules.setdefault(failure["table_name"], Counter())[failure["failure_reason"].split(":")[0]] += 1
    rows = [row for row in quarantined if row["row_number"] != WHOLE_FILE]
    checks = list(_failed_warnings(instance, run_id))
    return Damage(
        refused,
        rules,
        Counter(failure["table_name"] for failure in failures if failure["failure_category"] == MISSING_RAW_DATA),
        sorted(
            {
                f"{row['table_name']}: {row['file']} {row['reason']}"
                for row in quarantined
                if row["row_number"] == WHOLE_FILE
            }
        ),
        Counter(row["table_name"] for row in rows),
        {row["table_name"]: f"{row['file']}, row {row['row_number']}: {row['reason']}" for row in reversed(rows)}
        | _file_faults(checks),
        dict(_notices(checks)),
    )


def _failed_warnings(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[Table, dg.AssetCheckEvaluation]]:
    """The failed checks of a run that concern its inputs, with their tables."""
    for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records:
        event = record.event_log_entry.dagster_event
        if event is None or event.asset_check_evaluation_data.passed:
            continue
        check = event.asset_check_evaluation_data
        table = ALL_TABLES.get(check.asset_key.path[-1])
        if table is not None and check.check_name in {
            ROWS_ACCEPTED,
            *(notice.name for notice in (*table.notices, *SHARED_NOTICES)),
        }:
            yield table, check


def _file_faults(checks: Iterable[tuple[Table, dg.AssetCheckEvaluation]]) -> dict[str, str]:
    return {table.name: _texts(check, COMMON_FAULTS)[0] for table, check in checks if _texts(check, COMMON_FAULTS)}


def _notices(checks: Iterable[tuple[Table, dg.AssetCheckEvaluation]]) -> Iterator[tuple[str, Reported]]:
    for table, check in checks:
        counts = [
            int(str(entry.value))
            for name, entry in check.metadata.items()
            if name.startswith("offending_") or name == ROWS_NOT_UNDERSTOOD
        ]
        examples = [*_texts(check, "examples" if check.check_name != ROWS_ACCEPTED else NOTICES), ""]
        if sum(counts):
            yield f"{table.name}.{check.check_name}", Reported(sum(counts), examples[0])


def _texts(check: dg.AssetCheckEvaluation, name: str) -> list[str]:
    entry = check.metadata.get(name)
    return [str(text) for text in entry.value] if entry is not None and isinstance(entry.value, list) else []
