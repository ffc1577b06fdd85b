"""Powers of ten for the number parser: 5**q to 128 bits, and the exact ones of float64.

``HIGH``/``LOW`` hold, for q from ``LEAST_POWER`` to ``MOST_POWER``, the 128 leading bits of 5**q (cut, but
rounded up from -27 to -1, where ties can occur), as Lemire's "Number parsing at a gigabyte per second" (2021) asks.
"""

from __future__ import annotations

import numpy as np

LEAST_POWER = -342  # below, every 64-bit mantissa rounds to zero
MOST_POWER = 308  # above, every mantissa but zero is infinite


def leading_bits_of_power_of_five(q: int) -> int:
    """128 leading bits of 5**q as an integer with its top bit set."""
    if q >= 0:
        power = 5**q
        shift = 128 - power.bit_length()
        return power << shift if shift >= 0 else power >> -shift
    power = 5**-q
    bits = (power - 1).bit_length()  # smallest z with 2**z >= power
    scale = bits + 127 if q >= -27 else 2 * bits + 128
    quotient = (1 << scale) // power + 1
    return quotient >> max(0, quotient.bit_length() - 128)


_LEADING = [leading_bits_of_power_of_five(q) for q in range(LEAST_POWER, MOST_POWER + 1)]
HIGH = np.array([bits >> 64 for bits in _LEADING], np.uint64)
LOW = np.array([bits & 0xFFFFFFFFFFFFFFFF for bits in _LEADING], np.uint64)
EXACT = np.array([float(10**q) for q in range(23)], np.float64)
