"""Why a player did not play, from the words of the box score or of an injury report."""

from __future__ import annotations

import re

_ANYWHERE = {
    "injury": (
        *("injury", "injured", "illness", "sprain", "strain", "sore", "pain", "surgery", "concussion"),
        *("fracture", "torn", "tear", "knee", "ankle", "hamstring", "shoulder", "foot", "calf", "quad"),
        *("groin", "wrist", "elbow", "thumb", "finger", "achilles", "health and safety", "protocol"),
    ),
    "rest": ("load management", "recovery", "maintenance", "scheduled rest", "precautionary"),
    "personal": ("personal", "family", "birth", "funeral", "bereavement"),
    "coach_decision": ("coach", "decision", "not with team", "suspension", "disciplinary"),
}
"""Categories in the order in which they are tried, and what of a reason's text stands for each."""

_WHOLE_WORDS = {"injury": ("back", "hip", "hand", "toe", "leg"), "rest": ("rest",)}
"""Words too short to be looked for inside others: "feedback", "championship", "restricted"."""


def _pattern(category: str) -> re.Pattern[str]:
    whole = [rf"\b{word}\b" for word in _WHOLE_WORDS.get(category, ())]
    return re.compile("|".join([*_ANYWHERE[category], *whole]), re.IGNORECASE)


_PATTERNS = {category: _pattern(category) for category in _ANYWHERE}


def dnp_reason_category(reason: str | None) -> str | None:
    """What kept a player out: `injury`, `rest`, `personal`, `coach_decision` or `other`; None without a reason.

    Tried in this order, in any case.

    Example: "Injury/Illness" is `injury`, "DNP - Coach's Decision" is `coach_decision`, "Return from injury: rest" is
    `injury`.
    """
    if reason is None or not reason.strip():
        return None
    return next((category for category, pattern in _PATTERNS.items() if pattern.search(reason)), "other")
