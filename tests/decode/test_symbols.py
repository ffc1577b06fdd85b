"""Symbols: found by their bytes, not by their hash."""

from __future__ import annotations

from ringcollect.decode.symbols import MISSING, SymbolTable


def test_four_thousand_symbols_are_found_and_nothing_else_is() -> None:
    table = SymbolTable()
    symbols = [f"{base}USDT" for base in range(600)] + ["币安人生USDT", "BTCUSDT_260925", "1000SATSUSDT", "B"]
    for number, symbol in enumerate(symbols):
        table.add(symbol, number)
    assert [table.find(symbol) for symbol in symbols] == list(range(len(symbols)))
    for other in ("", "btcusdt", "600USDT", "BTCUSDT_26092", "BTCUSDT_2609255", "币安人生"):
        assert table.find(other) == MISSING


def test_a_symbol_added_again_takes_its_new_number() -> None:
    table = SymbolTable()
    table.add("BTCUSDT", 0)
    table.add("ETHUSDT", 1)
    table.add("BTCUSDT", 7)
    assert (table.find("BTCUSDT"), table.find("ETHUSDT")) == (7, 1)


def test_an_empty_table_finds_nothing() -> None:
    assert SymbolTable().find("BTCUSDT") == MISSING


def test_equal_hashes_are_told_apart_by_the_text() -> None:
    table = SymbolTable()
    table.add("AAA", 1)
    table.words[1::4][table.words[2::4] != 0] = 0  # every hash forged to the same value, in a table of one symbol
    table.add("BBB", 2)  # built anew from the texts
    assert (table.find("AAA"), table.find("BBB")) == (1, 2)
