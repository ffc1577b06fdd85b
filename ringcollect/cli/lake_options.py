"""The LAKE options, the same on every command that reads or writes a lake, as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ringcollect.cli.invocation import Invocation

if TYPE_CHECKING:
    from ringcollect.store.selection import Selection


@dataclass(frozen=True)
class LakeOptions:
    """What was written behind ``--data --type --exchange --market --symbol --start --end``."""

    data: str | None
    types: tuple[str, ...]
    exchanges: tuple[str, ...]
    markets: tuple[str, ...]
    symbols: tuple[str, ...]
    start: str | None
    end: str | None

    def uri(self, invocation: Invocation) -> str:
        """The lake: a folder or ``s3://bucket/prefix``; without ``--data`` the configured one."""
        return self.data if self.data is not None else str(invocation.load().config.data_path())

    def selection(self) -> Selection:
        """The selection. ConfigError for a type or time there is not, or an end that is not after the start."""
        from ringcollect.store.selection import select

        return select(
            types=self.types,
            exchanges=self.exchanges,
            markets=self.markets,
            symbols=self.symbols,
            start=self.start,
            end=self.end,
        )


_OPTIONS = (
    click.option("--data", metavar="URI", help="The lake, a folder or s3://bucket/prefix; default as configured."),
    click.option("--type", "types", multiple=True, metavar="TYPE,…", help="Only these types: trades, sync/features, …"),
    click.option("--exchange", "exchanges", multiple=True, metavar="NAME,…", help="Only these exchanges."),
    click.option("--market", "markets", multiple=True, metavar="MARKET,…", help="Only these markets."),
    click.option("--symbol", "symbols", multiple=True, metavar="SYMBOL,…", help="Only these, native or unified."),
    click.option("--start", metavar="TIME", help="From this time on (UTC; 2026-11-21 or 2026-11-21T15:30)."),
    click.option("--end", metavar="TIME", help="Up to this time, without it."),
)


def lake_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator below ``@click.command``: adds the options and passes them as ``lake: LakeOptions``."""

    @functools.wraps(command)
    def with_lake(
        *args: Any,
        data: str | None,
        types: tuple[str, ...],
        exchanges: tuple[str, ...],
        markets: tuple[str, ...],
        symbols: tuple[str, ...],
        start: str | None,
        end: str | None,
        **more: Any,
    ) -> Any:
        lake = LakeOptions(data, words(types), words(exchanges), words(markets), words(symbols), start, end)
        return command(*args, lake=lake, **more)

    decorated: Callable[..., Any] = with_lake
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def words(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Options that were repeated, or lists with commas, as one list."""
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())
