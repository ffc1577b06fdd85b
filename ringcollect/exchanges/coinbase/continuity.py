"""Nothing numbers the messages of one book, on neither feed.

Advanced Trade numbers all messages of a connection by one (``sequence_num``): the feed tests that over every message,
whatever it carries. On the Exchange feed a book is as whole as its TCP connection.
"""

from __future__ import annotations

from ringcollect.exchanges.unnumbered import follows

__all__ = ["follows"]
