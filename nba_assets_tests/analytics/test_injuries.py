"""Which injury report is a player's last before tip-off."""

from __future__ import annotations

import numpy as np
import pytest

from nba_assets.analytics.injuries import latest_statuses

TIP = np.datetime64("2025-01-21T00:30", "us")


def latest(moment: np.datetime64, confidence: float = 1.0, tip: np.datetime64 = TIP) -> list[str]:
    """The statuses that count where `questionable` was certain the day before, and `out` was reported at the moment."""
    reports = {
        "game_date": np.full(2, "2025-01-20", dtype="M8[D]"),
        "player_lookup": np.full(2, "lebronjames", dtype=object),
        "reported_at": np.array([TIP - np.timedelta64(1, "D"), moment]),
        "injury_status": np.array(["questionable", "out"], dtype=object),
        "confidence_score": np.array([1.0, confidence]),
    }
    return latest_statuses(reports, np.full(2, tip))["injury_status"].tolist()


def test_a_report_at_tip_off_itself_was_not_known_before() -> None:
    assert latest(TIP) == ["questionable"]
    assert latest(TIP - np.timedelta64(1, "us")) == ["out"]


def test_without_a_tip_off_every_report_counts() -> None:
    assert latest(TIP + np.timedelta64(3, "D"), tip=np.datetime64("NaT", "us")) == ["out"]


@pytest.mark.parametrize(("confidence", "status"), [(0.8, "out"), (0.79, "questionable"), (float("nan"), "out")])
def test_a_report_is_believed_from_a_confidence_of_eight_tenths_on(confidence: float, status: str) -> None:
    assert latest(TIP - np.timedelta64(1, "h"), confidence) == [status]
