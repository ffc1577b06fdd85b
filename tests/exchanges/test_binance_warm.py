"""After warming up, nothing a feed does compiles anything: a socket never waits for the compiler."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from ringcollect.exchanges import binance
binance.warm()

def compiled():
    kernels = {id(thing): thing for name, module in list(sys.modules.items()) if name.startswith("ringcollect.")
               for thing in vars(module).values() if hasattr(thing, "py_func") and hasattr(thing, "signatures")}
    return sum(len(kernel.signatures) for kernel in kernels.values())

import numpy as np
from ringcollect.exchanges.hot import COUNTED, OPEN, OPEN_TO_ALL
from ringcollect.exchanges.protocol import Purpose, RestMeaning
from ringcollect.records import RECORD, Channel
from ringcollect.ring.layout import Layout, write_header
from tests.exchanges.frames import new_decoder, on_hot_frame
from tests.exchanges.test_binance_bad_input import FRAMES

before = compiled()
decoder = new_decoder(("BTCUSDT", "ETHUSDT"))
layout = Layout("test.rec", RECORD, 1024, (), {})
ring = np.zeros(layout.places().file_bytes // 8, np.int64)
write_header(ring, layout, generation=1)
decoder.attach_ring(ring, 128, {name: np.zeros(3, np.int64)[1:2] for name in COUNTED})
for channel in (Channel.BOOK, Channel.TRADE, Channel.BBO):
    decoder.hot.row(0, channel)[OPEN] = OPEN_TO_ALL
published = 0
for market in binance.markets:
    ctx = decoder.context(market, 0)
    for frame in FRAMES.values():
        published += max(0, on_hot_frame(binance, frame, ctx, 5))
        decoder.cold(frame, ctx, 5)
        binance.decode_hot(frame, ctx, 5)
        decoder.taken(ctx)
body = b'{"lastUpdateId":1,"bids":[["1","2"]],"asks":[]}'
decoder.rest(RestMeaning("spot", Purpose.SNAPSHOT, "BTCUSDT"), body, 5)
binance.listings("spot", b'{"symbols":[]}')
decoder.add_symbol("spot", "XUSDT", 3)
assert published >= 3, published
print(compiled() - before)
"""


def test_after_warming_up_no_frame_and_no_answer_compiles_anything() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "0"
