"""Games played possession by possession: all of them at once, step by step, each from its own random numbers.

A step is one play of every game that is still on: time passes, then a turnover, a foul or a shot, free throws and a
rebound. What happens is written down as events; nothing else leaves this module but who was on the floor for how long,
so that every box score is a sum over events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from nba_assets.raw.sample_league.people import BACKCOURT, Skills
from nba_assets.raw.sample_league.sheets import AWAY, CLOSING, DRESSED, GARBAGE_TIME, HOME, NOBODY, Sheets

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Kind(IntEnum):
    """What an event is."""

    PERIOD_START = 0
    PERIOD_END = 1
    JUMP_BALL = 2
    SHOT = 3
    FREE_THROW = 4
    REBOUND = 5
    TURNOVER = 6
    FOUL = 7
    TECHNICAL_FOUL = 8
    SUBSTITUTION = 9
    TIMEOUT = 10
    VIOLATION = 11


class Role(IntEnum):
    """What the second player of an event did."""

    NONE = 0
    ASSIST = 1
    BLOCK = 2
    STEAL = 3
    JUMP_BALL_AWAY = 4
    SUBSTITUTION_IN = 5


EVENT = np.dtype(
    [
        ("game", np.int32),
        ("period", np.int8),
        ("clock", np.int16),
        ("kind", np.int8),
        ("side", np.int8),  # -1: neither team
        ("slot", np.int8),  # -1: no player
        ("other_slot", np.int8),
        ("role", np.int8),
        ("made", np.int8),
        ("zone", np.int8),
        ("number", np.int8),  # of a free throw within its trip; 0: technical
        ("trip", np.int8),
        ("points", np.int8),
        ("home", np.int16),
        ("away", np.int16),
        ("across", np.float64),  # where within its zone a shot was taken: two random numbers
        ("along", np.float64),
    ]
)

QUARTER_SECONDS, OVERTIME_SECONDS = 720, 300
BONUS_FOULS = 5
FOULED_OUT = 6
DECIDED_LEAD, DECIDED_CLOCK = 20, 360


class Tempo(IntEnum):
    """What a play begins with."""

    SET = 0
    TRANSITION = 1
    SECOND_CHANCE = 2
    INBOUND = 3


SHORTEST_PLAY = np.array([5.2, 2.9, 1, 2])
PLAY_SPREAD = np.array([19.5, 18, 10, 12])
"""Seconds of a play by its tempo: the least, and what two random numbers' mean adds to it."""

TURNOVER_SHARE, COMMON_FOUL_SHARE = 0.126, 0.075
TEAM_TURNOVER_SHARE, STEAL_SHARE, OFFENSIVE_FOUL_SHARE = 0.045, 0.555, 0.11
LAST_SHOT_SHARE, HEAVE_SHARE = 0.6, 0.2
TIMEOUT_SHARE, VIOLATION_SHARE, TECHNICAL_SHARE = 0.045, 0.009, 0.005
SHOOTING_FOUL_RATES = np.array([0.19, 0.13, 0.045, 0.012, 0.012, 0.0])
MAKES_WHEN_FOULED = 0.5
ASSIST_RATES = np.array([0.62, 0.49, 0.46, 0.8, 0.96, 0.3])
BLOCK_RATES = np.array([0.34, 0.22, 0.047, 0.013, 0.02, 0.02])
IS_THREE = np.array([False, False, False, True, True, True])
OFFENSIVE_REBOUND_SHARE, FREE_THROW_REBOUND_SHARE, TEAM_REBOUND_SHARE = 0.255, 0.11, 0.085
HOME_EDGE = 0.008
EASE_OF_LEADER = 0.0012
"""How much less likely the leader's shots go in, and how much likelier his opponent's, for each point of his lead."""
LARGEST_EASE = 25
FOUL_TROUBLE, CAUTION = 4, 0.45
"""With four fouls a player is careful: he commits this share of his usual ones."""
LATE_ENTRY_SHARE = 0.12
"""Games in which somebody comes in when the clock has run out: he is active and has played 0:00."""

DRAWS = 36
BLOCK_STEPS = 64


@dataclass(frozen=True, eq=False)
class Played:
    """What happened. `events` are in order of game and time; the rest is by (game, side, slot)."""

    events: NDArray[np.void]
    seconds: Ints
    plus_minus: Ints
    entered: Flags
    starters: Flags
    score: Ints
    """(games, 2)."""
    periods: Ints


def play(sheets: Sheets, skills: Skills, generators: Sequence[np.random.Generator]) -> Played:
    """Play every game to its end. A game depends on its sheet and its generator alone."""
    games = _Games(sheets, skills)
    live = np.arange(len(generators))
    draws = np.zeros((len(generators), BLOCK_STEPS, DRAWS))
    step = 0
    while live.size:
        if step % BLOCK_STEPS == 0:
            for game in live.tolist():
                generators[game].random(out=draws[game])
        games.step(live, iter(draws[live, step % BLOCK_STEPS].T))
        live = live[~games.over[live]]
        step += 1
    return games.result()


class _Games:
    """The state of all games. Methods take `g`, the games that something happens in, and arrays of the same length."""

    def __init__(self, sheets: Sheets, skills: Skills) -> None:
        count = len(sheets.dressed)
        self.sheets, self.skills = sheets, skills
        self.log: list[NDArray[np.void]] = []
        self.over = np.zeros(count, dtype=bool)
        self.period = np.ones(count, dtype=np.int64)
        self.clock = np.full(count, QUARTER_SECONDS)
        self.begins = np.ones(count, dtype=bool)
        self.offense = np.zeros(count, dtype=np.int64)
        self.won_tip = np.zeros(count, dtype=np.int64)
        self.tempo = np.zeros(count, dtype=np.int64)
        self.decided = np.zeros(count, dtype=bool)
        self.score = np.zeros((count, 2), dtype=np.int64)
        self.team_fouls = np.zeros((count, 2), dtype=np.int64)
        self.stint = np.full((count, 2), -1)
        self.lineup = np.zeros((count, 2, 5), dtype=np.int64)
        by_slot = (count, 2, DRESSED)
        self.fouls, self.seconds, self.plus_minus = (np.zeros(by_slot, dtype=np.int64) for _ in range(3))
        self.entered, self.starters = (np.zeros(by_slot, dtype=bool) for _ in range(2))

    def result(self) -> Played:
        events = np.concatenate(self.log) if self.log else np.zeros(0, dtype=EVENT)
        events = events[np.argsort(events["game"], kind="stable")]
        return Played(events, self.seconds, self.plus_minus, self.entered, self.starters, self.score, self.period)

    def step(self, g: Ints, draw: Iterator[Floats]) -> None:
        self._begin_periods(g, *islice(draw, 3))
        self._interrupt(g, *islice(draw, 4))
        offense = self.offense[g]

        tempo = self.tempo[g]
        lasts = SHORTEST_PLAY[tempo] + PLAY_SPREAD[tempo] * (next(draw) + next(draw)) / 2
        lasts = np.maximum(lasts / self.sheets.pace[g], 1).astype(np.int64)
        buzzer = lasts >= self.clock[g]
        beats_buzzer = buzzer & (next(draw) < LAST_SHOT_SHARE)
        left = np.where(beats_buzzer, np.minimum((next(draw) * 3).astype(np.int64), self.clock[g]), 0)
        self._run_clock(g, np.where(buzzer, self.clock[g] - left, lasts))

        lot = next(draw)
        turnover = ~buzzer & (lot < TURNOVER_SHARE)
        common_foul = ~buzzer & ~turnover & (lot < TURNOVER_SHARE + COMMON_FOUL_SHARE)
        shot = beats_buzzer | (~buzzer & ~turnover & ~common_foul)

        attack, defense = self._five(g, offense), self._five(g, 1 - offense)
        trip = np.zeros(len(g), dtype=np.int64)
        shooter = np.zeros(len(g), dtype=np.int64)
        keeps = np.zeros(len(g), dtype=bool)
        tempo = np.zeros(len(g), dtype=np.int64)

        stolen = self._turn_over(g, turnover, attack, defense, *islice(draw, 3))
        tempo[stolen] = Tempo.TRANSITION
        in_bonus, victim = self._commit_common_foul(g, common_foul, attack, defense, *islice(draw, 2))
        keeps |= common_foul & ~in_bonus
        tempo[keeps] = Tempo.INBOUND
        trip[in_bonus], shooter[in_bonus] = 2, victim[in_bonus]
        missed, fouled_trip, tried_by = self._shoot(g, shot, beats_buzzer, attack, defense, *islice(draw, 11))
        fouled = fouled_trip > 0
        trip[fouled], shooter[fouled] = fouled_trip[fouled], tried_by[fouled]
        missed_last = self._shoot_free_throws(g, trip, shooter, *islice(draw, 3))

        regained = self._rebound(g, missed, missed_last, attack, defense, *islice(draw, 4))
        tempo[regained] = Tempo.SECOND_CHANCE
        tempo[(missed | missed_last) & ~regained] = Tempo.TRANSITION
        keeps |= regained
        self.offense[g] = np.where(keeps, offense, 1 - offense)
        self.tempo[g] = tempo
        self._end_periods(g[self.clock[g] == 0], next(draw)[self.clock[g] == 0])

    # What a step consists of, in order.

    def _begin_periods(self, g: Ints, *lots: Floats) -> None:
        begins = self.begins[g]
        self._write(g[begins], Kind.PERIOD_START)
        self._substitute(g)
        self.begins[g] = False
        jump = begins & ((self.period[g] == 1) | (self.period[g] > 4))
        jumpers, (won, home, away) = g[jump], (lot[jump] for lot in lots)
        winner = np.where(won < 0.5, HOME, AWAY)
        home_slot, away_slot = (self._at(jumpers, side, self._lot(lot)) for side, lot in ((HOME, home), (AWAY, away)))
        self._write(jumpers, Kind.JUMP_BALL, HOME, home_slot, other_slot=away_slot, role=Role.JUMP_BALL_AWAY)
        self.offense[jumpers] = winner
        self.won_tip[jumpers] = winner
        # The team that lost the tip begins the second and third quarter.
        later = g[begins & ~jump]
        self.offense[later] = np.where(self.period[later] == 4, self.won_tip[later], 1 - self.won_tip[later])
        self.tempo[g[begins]] = Tempo.SET

    def _substitute(self, g: Ints) -> None:
        """Bring on the five who belong on the floor now, for one or several who go."""
        elapsed = (self.period[g] - 1) * QUARTER_SECONDS + QUARTER_SECONDS - self.clock[g]
        planned = (elapsed[:, None, None] >= self.sheets.stint_starts[g]).sum(axis=2) - 1
        planned[self.period[g] > 4] = CLOSING
        self.decided[g] |= (
            (self.period[g] == 4)
            & (self.clock[g] < DECIDED_CLOCK)
            & (np.abs(self.score[g, HOME] - self.score[g, AWAY]) >= DECIDED_LEAD)
        )
        planned[self.decided[g]] = GARBAGE_TIME
        foul_trouble = np.take_along_axis(self.fouls[g], self.lineup[g], axis=2).max(axis=2) >= FOULED_OUT
        for side in (HOME, AWAY):
            changes = (planned[:, side] != self.stint[g, side]) | foul_trouble[:, side]
            rows = g[changes]
            if not rows.size:
                continue
            first = self.stint[rows, side] < 0
            self.stint[rows, side] = planned[changes, side]
            # Who has six fouls stays only where nobody else is left.
            priority = self.sheets.preference[rows, side, planned[changes, side]] - 10_000.0 * (
                self.fouls[rows, side] >= FOULED_OUT
            )
            five = np.sort(np.argsort(-priority, axis=1, kind="stable")[:, :5], axis=1)
            before, after = (np.zeros((len(rows), DRESSED), dtype=bool) for _ in range(2))
            np.put_along_axis(before, self.lineup[rows, side], True, axis=1)
            np.put_along_axis(after, five, True, axis=1)
            self.lineup[rows, side] = five
            self.entered[rows, side] |= after
            self.starters[rows[first], side] = after[first]
            goes, comes = before & ~after & ~first[:, None], after & ~before & ~first[:, None]
            row, going = np.nonzero(goes)
            self._write(
                rows[row], Kind.SUBSTITUTION, side, going, other_slot=np.nonzero(comes)[1], role=Role.SUBSTITUTION_IN
            )

    def _interrupt(self, g: Ints, what: Floats, whose: Floats, who: Floats, sinks: Floats) -> None:
        """Time-outs, violations and technical fouls: the clock stands and the ball stays where it is."""
        side = np.where(whose < 0.5, HOME, AWAY)
        timeout, violation, technical = _lots(what, TIMEOUT_SHARE, VIOLATION_SHARE, TECHNICAL_SHARE)
        self._write(g[timeout], Kind.TIMEOUT, side[timeout])
        self._write(
            g[violation],
            Kind.VIOLATION,
            side[violation],
            self._at(g[violation], side[violation], self._lot(who[violation])),
        )
        rows, by, other = g[technical], side[technical], 1 - side[technical]
        self._write(rows, Kind.TECHNICAL_FOUL, by, self._at(rows, by, self._lot(who[technical])))
        best = np.argmax(self.skills.free_throws[self._five(rows, other)], axis=1)
        self._free_throw(rows, other, self._at(rows, other, best), sinks[technical], 0, 0)

    def _turn_over(
        self, g: Ints, happens: Flags, attack: Ints, defense: Ints, how: Floats, who: Floats, thief: Floats
    ) -> Flags:
        rows, offense = g[happens], self.offense[g[happens]]
        loser = self._at(rows, offense, _choose(self.skills.turnovers[attack[happens]], who[happens]))
        team_loss, steal, offensive_foul = _lots(how[happens], TEAM_TURNOVER_SHARE, STEAL_SHARE, OFFENSIVE_FOUL_SHARE)
        taker = self._at(rows, 1 - offense, _choose(self.skills.steals[defense[happens]], thief[happens]))
        self._foul(rows[offensive_foul], offense[offensive_foul], loser[offensive_foul])
        self._write(
            rows,
            Kind.TURNOVER,
            offense,
            np.where(team_loss, NOBODY, loser),
            other_slot=np.where(steal, taker, NOBODY),
            role=np.where(steal, Role.STEAL, Role.NONE),
        )
        stolen = happens.copy()
        stolen[happens] = steal
        return stolen

    def _commit_common_foul(
        self, g: Ints, happens: Flags, attack: Ints, defense: Ints, who: Floats, victim: Floats
    ) -> tuple[Flags, Ints]:
        rows, defending = g[happens], 1 - self.offense[g[happens]]
        self._foul(rows, defending, self._fouler(rows, defending, defense[happens], who[happens]))
        self.team_fouls[rows, defending] += 1
        in_bonus = happens & (self.team_fouls[g, 1 - self.offense[g]] >= BONUS_FOULS)
        weights = self.skills.shooting[attack] * self.skills.fouls_drawn[attack]
        return in_bonus, self._at(g, self.offense[g], _choose(weights, victim))

    def _shoot(
        self, g: Ints, happens: Flags, at_buzzer: Flags, attack: Ints, defense: Ints, *draws: Floats
    ) -> tuple[Flags, Ints, Ints]:
        """Field-goal attempts: which were missed alive, how many free throws follow where a shooter was fouled, and who
        shot.
        """
        rows, offense = g[happens], self.offense[g[happens]]
        who, where, heave, contact, luck, helped, helper, swatted, swatter, across, along = (
            draw[happens] for draw in draws
        )
        attack, defense = attack[happens], defense[happens]
        skills = self.skills
        place = _choose(skills.shooting[attack], who)
        shooter = np.take_along_axis(attack, place[:, None], axis=1)[:, 0]
        slot = self._at(rows, offense, place)
        zone = np.minimum((where[:, None] >= skills.zone_shares[shooter]).sum(axis=1), BACKCOURT - 1)
        zone[at_buzzer[happens] & (heave < HEAVE_SHARE)] = BACKCOURT

        fouled = contact < SHOOTING_FOUL_RATES[zone] * skills.fouls_drawn[shooter]
        chance = skills.make_rates[shooter, zone] * (1 - skills.defense[defense].sum(axis=1) / 5)
        lead = np.clip(self.score[rows, offense] - self.score[rows, 1 - offense], -LARGEST_EASE, LARGEST_EASE)
        chance += np.where(offense == HOME, HOME_EDGE, -HOME_EDGE) - EASE_OF_LEADER * lead
        made = luck < chance * np.where(fouled, MAKES_WHEN_FOULED, 1.0)
        attempt = made | ~fouled
        assisted = made & ~fouled & (helped < ASSIST_RATES[zone])
        blocked = ~made & ~fouled & (swatted < BLOCK_RATES[zone])

        passing = skills.passing[attack]
        np.put_along_axis(passing, place[:, None], 0.0, axis=1)
        passer = self._at(rows, offense, _choose(passing, helper))
        blocker = self._at(rows, 1 - offense, _choose(skills.blocks[defense], swatter))
        fouled_by = self._fouler(rows, 1 - offense, defense, helper)  # a foul and an assist exclude each other
        points = np.where(made, np.where(IS_THREE[zone], 3, 2), 0)
        self._score(rows, offense, points)
        self._write(
            rows[attempt],
            Kind.SHOT,
            offense[attempt],
            slot[attempt],
            other_slot=np.where(assisted, passer, np.where(blocked, blocker, NOBODY))[attempt],
            role=np.where(assisted, Role.ASSIST, np.where(blocked, Role.BLOCK, Role.NONE))[attempt],
            made=made[attempt],
            zone=zone[attempt],
            points=points[attempt],
            across=across[attempt],
            along=along[attempt],
        )
        self._foul(rows[fouled], 1 - offense[fouled], fouled_by[fouled])
        self.team_fouls[rows[fouled], 1 - offense[fouled]] += 1

        missed, trip, tried_by = happens.copy(), np.zeros(len(g), dtype=np.int64), np.zeros(len(g), dtype=np.int64)
        missed[happens] = ~made & ~fouled
        trip[happens] = np.where(fouled, np.where(made, 1, np.where(IS_THREE[zone], 3, 2)), 0)
        tried_by[happens] = slot
        return missed, trip, tried_by

    def _shoot_free_throws(self, g: Ints, trip: Ints, shooter: Ints, *luck: Floats) -> Flags:
        """Trips to the line of one to three free throws; returns where the last one was missed."""
        missed_last = np.zeros(len(g), dtype=bool)
        for number, lot in enumerate(luck, start=1):
            shoots = trip >= number
            rows = g[shoots]
            side = self.offense[rows]
            made = self._free_throw(rows, side, shooter[shoots], lot[shoots], number, trip[shoots])
            dead = ~made & (trip[shoots] > number)
            self._write(rows[dead], Kind.REBOUND, side[dead])  # the ball is dead: a rebound in name only
            missed_last[shoots] = ~made & (trip[shoots] == number)
        return missed_last

    def _rebound(
        self,
        g: Ints,
        missed: Flags,
        missed_last: Flags,
        attack: Ints,
        defense: Ints,
        whose: Floats,
        who: Floats,
        team: Floats,
        takes: Floats,
    ) -> Flags:
        loose = (missed | missed_last) & (self.clock[g] > 0)
        rows, offense = g[loose], self.offense[g[loose]]
        self._run_clock(rows, np.minimum(1 + (takes[loose] * 2).astype(np.int64), self.clock[rows]))
        ours, theirs = self.skills.offensive_rebounds[attack[loose]], self.skills.defensive_rebounds[defense[loose]]
        tilt = ours.sum(axis=1) / (ours.sum(axis=1) + theirs.sum(axis=1)) * 2
        share = np.where(missed_last[loose], FREE_THROW_REBOUND_SHARE, OFFENSIVE_REBOUND_SHARE) * tilt
        regains = whose[loose] < share
        side = np.where(regains, offense, 1 - offense)
        slot = self._at(rows, side, _choose(np.where(regains[:, None], ours, theirs), who[loose]))
        self._write(rows, Kind.REBOUND, side, np.where(team[loose] < TEAM_REBOUND_SHARE, NOBODY, slot))
        regained = loose.copy()
        regained[loose] = regains
        return regained

    def _end_periods(self, g: Ints, lot: Floats) -> None:
        finished = (self.period[g] >= 4) & (self.score[g, HOME] != self.score[g, AWAY])
        late = finished & (lot < LATE_ENTRY_SHARE)
        self._bring_on_at_the_end(g[late], np.where(lot[late] < LATE_ENTRY_SHARE / 2, HOME, AWAY))
        self._write(g, Kind.PERIOD_END)
        self.over[g[finished]] = True
        rows = g[~finished]
        self.period[rows] += 1
        self.clock[rows] = np.where(self.period[rows] > 4, OVERTIME_SECONDS, QUARTER_SECONDS)
        self.begins[rows] = True
        self.team_fouls[rows] = 0

    def _bring_on_at_the_end(self, g: Ints, side: Ints) -> None:
        waits = (self.sheets.dressed[g, side] != NOBODY) & ~self.entered[g, side]
        some = waits.any(axis=1)
        g, side, comes = g[some], side[some], np.argmax(waits[some], axis=1)
        self._write(g, Kind.SUBSTITUTION, side, self.lineup[g, side, 4], other_slot=comes, role=Role.SUBSTITUTION_IN)
        self.entered[g, side, comes] = True

    # What the parts of a step are made of.

    def _run_clock(self, g: Ints, seconds: Ints) -> None:
        self.clock[g] -= seconds
        for side in (HOME, AWAY):
            self.seconds[g[:, None], side, self.lineup[g, side]] += seconds[:, None]

    def _score(self, g: Ints, side: Ints, points: Ints) -> None:
        self.score[g, side] += points
        self.plus_minus[g[:, None], side[:, None], self.lineup[g, side]] += points[:, None]
        self.plus_minus[g[:, None], 1 - side[:, None], self.lineup[g, 1 - side]] -= points[:, None]

    def _free_throw(self, g: Ints, side: Ints, slot: Ints, luck: Floats, number: int, trip: Ints | int) -> Flags:
        made = luck < self.skills.free_throws[self.sheets.dressed[g, side, slot]]
        self._score(g, side, made.astype(np.int64))
        self._write(g, Kind.FREE_THROW, side, slot, points=made, number=number, trip=trip)
        return made

    def _foul(self, g: Ints, side: Ints, slot: Ints) -> None:
        self.fouls[g, side, slot] += 1
        self._write(g, Kind.FOUL, side, slot)

    def _fouler(self, g: Ints, side: Ints, five: Ints, lot: Floats) -> Ints:
        in_trouble = np.take_along_axis(self.fouls[g, side], self.lineup[g, side], axis=1) >= FOUL_TROUBLE
        return self._at(g, side, _choose(self.skills.fouls[five] * np.where(in_trouble, CAUTION, 1.0), lot))

    def _five(self, g: Ints, side: Ints) -> Ints:
        """Players on the floor, (games, 5)."""
        return self.sheets.dressed[g[:, None], side[:, None], self.lineup[g, side]]

    def _at(self, g: Ints, side: Ints | int, place: Ints) -> Ints:
        """Slot of the player at a place of the line-up."""
        return self.lineup[g, side, place]

    @staticmethod
    def _lot(lot: Floats) -> Ints:
        """A place of the line-up, each as likely as the other."""
        return (lot * 5).astype(np.int64)

    def _write(
        self,
        g: Ints,
        kind: Kind,
        side: Ints | int = -1,
        slot: Ints | int = NOBODY,
        *,
        other_slot: Ints | int = NOBODY,
        **more: object,
    ) -> None:
        if not g.size:
            return
        events = np.zeros(len(g), dtype=EVENT)
        events["game"], events["period"], events["clock"], events["kind"] = g, self.period[g], self.clock[g], kind
        events["side"], events["slot"], events["other_slot"] = side, slot, other_slot
        events["home"], events["away"] = self.score[g, HOME], self.score[g, AWAY]
        for name, values in more.items():
            events[name] = values
        self.log.append(events)


def _choose(weights: Floats, lot: Floats) -> Ints:
    """A column of each row of `weights`, as likely as its weight."""
    sums = np.cumsum(weights, axis=1)
    return np.minimum((lot[:, None] * sums[:, -1:] >= sums).sum(axis=1), weights.shape[1] - 1)


def _lots(lot: Floats, *shares: float) -> list[Flags]:
    """Disjoint flags, each TRUE with its share."""
    bounds = np.cumsum([0.0, *shares])
    return [(lot >= low) & (lot < high) for low, high in pairwise(bounds)]
