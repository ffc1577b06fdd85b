"""fsync beside the drain loop: a slow disk must never keep the writer from emptying a ring."""

from __future__ import annotations

import os
import threading

from ringcollect.failpoints import fail
from ringcollect.store.durable import sync_data


class Syncer:
    """One thread that syncs descriptors given to it. At most one request per key waits; it covers later ones."""

    def __init__(self) -> None:
        self.error = ""
        self.synced = 0
        self._wanted: dict[str, int] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._busy = False
        self._thread = threading.Thread(target=self._work, name="journal-fsync", daemon=True)
        self._thread.start()

    def submit(self, key: str, fd: int) -> None:
        """Sync ``fd`` soon and close it. Replaces a waiting request of the same key."""
        with self._changed:
            old = self._wanted.pop(key, None)
            self._wanted[key] = fd
            self._changed.notify_all()
        if old is not None:
            os.close(old)

    def wait(self, timeout_s: float) -> bool:
        """Until everything submitted is synced; False if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._wanted and not self._busy, timeout_s)

    def close(self) -> None:
        """End the thread after what is waiting."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout=1.0)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._closing)
                if not self._wanted:
                    return
                key = next(iter(self._wanted))
                fd = self._wanted.pop(key)
                self._busy = True
            try:
                sync_data(fd)
                fail("journal.after_fsync")
                self.error = ""
                self.synced += 1
            except OSError as error:
                self.error = f"fsync: {error}"
            finally:
                os.close(fd)
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
