"""Decimal texts that hurt: what markets send, what floats print, and what lies between two floats."""

from __future__ import annotations

import decimal
import math
import random
import struct
from collections.abc import Iterator


def _random_float(rng: random.Random) -> float:
    """Any finite positive float64, each bit pattern as likely as another (subnormals too)."""
    return struct.unpack("<d", struct.pack("<Q", rng.randrange(0x7FF << 52)))[0]


def _market(rng: random.Random) -> str:
    return f"{rng.randrange(10 ** rng.randrange(1, 8))}.{rng.randrange(10**8):08d}"


def _printed(rng: random.Random) -> str:
    return repr(_random_float(rng))


def _subnormal(rng: random.Random) -> str:
    value = struct.unpack("<d", struct.pack("<Q", rng.randrange(1 << rng.randrange(1, 54))))[0]
    return f"{value:.{rng.randrange(1, 19)}e}"


def _scaled(rng: random.Random) -> str:
    return (
        f"{rng.randrange(10 ** rng.randrange(1, 20))}{rng.choice('eE')}{rng.choice(['', '+', '-'])}{rng.randrange(400)}"
    )


def _long(rng: random.Random) -> str:
    """Up to 40 digits with a point somewhere: sizes of 20 digits and more."""
    whole = str(rng.randrange(10 ** rng.randrange(1, 26)))
    return f"{whole}.{rng.randrange(10 ** rng.randrange(1, 16))}" if rng.random() < 0.7 else whole


def _padded(rng: random.Random) -> str:
    """More than 19 digits, of which the last ones are zeros: 10000000000.0000000000."""
    return f"{rng.randrange(10**12)}.{rng.randrange(10**4)}{'0' * rng.randrange(4, 12)}"


def _halfway(rng: random.Random) -> str:
    """The number exactly between two floats, whole or cut or moved by one in a late digit."""
    low = _random_float(rng)
    high = math.nextafter(low, math.inf)
    if math.isinf(high):
        return "1.7976931348623157e308"
    with decimal.localcontext() as context:
        context.prec = 1100
        between = (decimal.Decimal(low) + decimal.Decimal(high)) / 2
        context.prec = rng.choice([16, 17, 18, 19, 20, 25, 800])
        cut = +between
        if rng.random() < 0.3:
            cut += decimal.Decimal((0, (1,), cut.adjusted() - context.prec + 1)) * rng.choice([-1, 1])
    return f"{cut:E}".replace("E+", "e")


def _exact_tie(rng: random.Random) -> str:
    """An integer of 54 bits or a few more that lies exactly between two floats: ties go to even."""
    shift = rng.randrange(1, 10)
    return str(((rng.randrange(1 << 52, 1 << 53) << shift) + (1 << (shift - 1))) * 10 ** rng.randrange(0, 3))


_KINDS = (_market, _market, _printed, _subnormal, _scaled, _long, _padded, _exact_tie)


def decimals(seed: int, count: int, halfway_share: float = 0.02) -> Iterator[str]:
    """``count`` texts, some negative."""
    rng = random.Random(seed)
    for _ in range(count):
        kind = _halfway if rng.random() < halfway_share else rng.choice(_KINDS)
        text = kind(rng)
        yield "-" + text if rng.random() < 0.1 else text


EDGES = (
    "0", "-0", "0.0", "-0.00000000", "0e999999999999", "1", "0.1", "9007199254740993", "9007199254740992.5",
    "1.7976931348623157e308", "1.7976931348623158e308", "4.9406564584124654e-324", "2.4703282292062327e-324",
    "2.4703282292062328e-324", "2.2250738585072011e-308", "2.2250738585072012e-308", "2.2250738585072014e-308",
    "1e-400", "1e-99999999999999999999", "123456789012345678901234567890", "0." + "0" * 400 + "1",
    "1" + "0" * 300, "18446744073709551615", "18446744073709551616", "99999999999999999999", "0.000000000000000000001",
    "61837.63000000", "0.00000637", "17976931348623157" + "0" * 292,
    "5e-324", "8.988465674311580e307", "9214843084008499", "5.708990770823839e-153",
)  # fmt: skip
