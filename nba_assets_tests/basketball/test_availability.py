"""Why players did not play."""

from __future__ import annotations

import pytest

from nba_assets.basketball.availability import dnp_reason_category

REASONS = {
    "injury": """
        Injury/Illness
        DND - Injury/Illness - Left Knee; Soreness
        ILLNESS (DTD)
        placed on IL with torn ACL in left knee
        bruised right quadriceps
        sore Achilles
        fractured right thumb
        Toe
        left LEG
        hand
        lower-back tightness
        hip pointer
        NBA health and safety protocols (DTD)
        rest, sore ankle
        Coach's Decision after surgery
        """,
    "rest": """
        Rest
        rest
        Load Management
        Scheduled Rest
        personal rest day
        Return to Competition - Maintenance
        """,
    "personal": """
        Personal Reasons
        birth of a child
        family, coach agreed
        """,
    "coach_decision": """
        DNP - Coach's Decision
        Coach's Decision
        NWT - Not With Team
        League Suspension
        disciplinary
        """,
    "other": """
        placed on IL
        G League - Two-Way
        trade pending
        conditioning (DTD)
        restricted list
        championship parade
        feedback
        legal matters
        handled by league
        """,
}


@pytest.mark.parametrize(
    ("reason", "category"),
    [(line.strip(), category) for category, reasons in REASONS.items() for line in reasons.strip().splitlines()],
)
def test_category(reason: str, category: str) -> None:
    assert dnp_reason_category(reason) == category


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_no_reason_has_no_category(nothing: str | None) -> None:
    assert dnp_reason_category(nothing) is None
