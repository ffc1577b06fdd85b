"""The kernel never reads past a frame: shown with a page nobody may read right behind it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from ringcollect.exchanges import binance
from tests.decode.guard import GuardedPage
from tests.exchanges.frames import new_decoder
from tests.exchanges.test_binance_bad_input import AGGREGATE, DEPTH, TICKER, TRADE

page = GuardedPage()
decoder = new_decoder(("BTCUSDT",))
ctx = decoder.context("linear", 0)
escaped, chinese = DEPTH.replace(b"BTC", b"\\\\u0042TC"), DEPTH.replace(b"BTC", "币".encode())
for frame in (DEPTH, TRADE, TICKER, AGGREGATE, escaped, chinese):
    whole = page.view(frame)
    first = binance.decode_hot(whole, ctx, 5)
    assert first == binance.decode_hot(frame, ctx, 5) and first != -1, (first, frame)
    for end in range(len(frame)):
        assert binance.decode_hot(page.view(frame[:end]), ctx, 5) == -1
        for byte in b'"\\\\{[,0u':
            binance.decode_hot(page.view(frame[:end] + bytes([byte])), ctx, 5)
print("alive")
"""


def test_no_frame_cut_anywhere_is_read_past_its_end() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "alive"


def test_nothing_is_written_past_the_private_batch_or_the_context() -> None:
    import numpy as np

    from ringcollect.exchanges import binance
    from ringcollect.exchanges.hot import C_BATCH, C_CAPACITY, CONTEXT_WORDS
    from tests.exchanges.frames import new_decoder

    decoder = new_decoder(("BTCUSDT",))
    guarded = np.full((16 + 8) * 8, 0x5A5A, np.int64)
    ctx_home = np.full(CONTEXT_WORDS + 16, 0x5A5A, np.int64)
    ctx = ctx_home[:CONTEXT_WORDS]
    ctx[:] = decoder.context("spot", 0)
    ctx[C_BATCH], ctx[C_CAPACITY] = guarded.ctypes.data, 16
    for n in range(20):
        levels = ",".join(['["1","2"]'] * n)
        frame = f'{{"e":"depthUpdate","E":5,"s":"BTCUSDT","U":1,"u":2,"b":[{levels}],"a":[{levels}]}}'
        binance.decode_hot(frame.encode(), ctx, 5)
        binance.decode_hot(frame.replace("BTC", "X" * n * 20).encode(), ctx, 5)
        binance.decode_hot(frame.replace("BTC", "\\u0042" * n * 20).encode(), ctx, 5)
    assert (guarded[16 * 8 :] == 0x5A5A).all()
    assert (ctx_home[CONTEXT_WORDS:] == 0x5A5A).all()
