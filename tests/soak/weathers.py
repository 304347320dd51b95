# SPDX-License-Identifier: BSD-2-Clause
"""The soak's weathers and deeds, and the order in which they come: drawn by lot, from a seed.

A weather is what upstream does; a deed is what clients, admins and monitoring do meanwhile.
"""

import dataclasses

CALM = "weather 0 15 200"
SHORTEST, LONGEST = 20, 60  # Seconds.
DEAD_FOR = 10
# A name's refusal is remembered for up to five minutes (resolver/refusal.h).
REFUSAL_KEPT = 310

NOBODY, LISTS, EVERYBODY, RARELY = "nobody", "lists", "everybody", "rarely"
# A try that is lost six times over: asks_max times in a row, of both servers.
RARE = 1 / 2000


@dataclasses.dataclass
class Weather:
    name: str
    begin: tuple = ()  # Commands to the upstream (tests/bench/upstream.c).
    end: tuple = ()
    may_fail: str = NOBODY  # Whose questions.
    begin_for: float = None  # Seconds; then comes `end`, and the rest is recovery.
    is_long: bool = False


@dataclasses.dataclass
class Period:
    weather: Weather
    deed: str
    seconds: float


def weather_calm(_):
    return Weather("calm")


def weather_loss(dice):
    percent = dice.uniform(2, 10)
    return Weather("loss", (f"weather {percent:.1f} 15 200",), (CALM,), RARELY)


def weather_slow(dice):
    return Weather("slow", (f"weather 0 {dice.uniform(80, 250):.0f} 1200",), (CALM,))


def weather_hole(dice):
    server = dice.randrange(2)
    return Weather("one dead", (f"mute {server}",), (f"voice {server}",))


def weather_flaps(dice):
    server = dice.randrange(2)
    return Weather(
        "one dead, one lossy", (f"mute {server}", "weather 5 30 300"), (f"voice {server}", CALM),
        RARELY,
    )  # fmt: skip


def weather_dead(_):
    return Weather(
        "both dead", ("dead",), ("alive",), EVERYBODY, begin_for=DEAD_FOR, is_long=True
    )


def weather_truncating(_):
    return Weather("truncating", ("manners truncating",), ("manners",))


def weather_refusing(_):
    return Weather("lists refuse", ("manners lists-refuse",), ("manners",), LISTS)


WEATHERS = (
    weather_calm, weather_loss, weather_slow, weather_hole, weather_dead, weather_truncating,
    weather_refusing, weather_flaps, weather_calm,
)  # fmt: skip

DEEDS = ("none", "flood", "reload", "flush", "visitors", "half-open", "none")


def schedule(dice):
    """Periods without end: all weathers, then all again in another order; the deeds likewise, so
    that in time every deed meets every weather. First comes the worst, so that all memory that was
    set aside at the start has been touched when the warm-up is over."""
    deeds = []
    yield Period(weather_dead(dice), "flood", LONGEST)
    while True:
        for make in dice.sample(WEATHERS, len(WEATHERS)):
            weather = make(dice)
            deeds = deeds or dice.sample(DEEDS, len(DEEDS))
            least = SHORTEST + 2 * DEAD_FOR if weather.is_long else SHORTEST
            yield Period(weather, deeds.pop(), dice.uniform(least, LONGEST))
