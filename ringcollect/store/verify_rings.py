"""Certificates and journals under ``verify``: together they cover each ring exactly once."""

from __future__ import annotations

from itertools import groupby

from ringcollect.store import ranges
from ringcollect.store.ranges import Span
from ringcollect.store.report import Coverage, Report
from ringcollect.store.verify_journals import Unsealed
from ringcollect.store.verify_segment import Certificate, book_claims


def check_rings(
    certificates: list[tuple[str, Certificate]],
    journals: list[Unsealed],
    report: Report,
    *,
    strict: bool,
    whole: bool = True,
) -> None:
    """Per (ring, generation): segments follow each other without overlap or hole, from where this lake began.

    Not ``whole``: only some days were looked at, so nothing is said of what is before the first and after the last.
    """
    spans = [
        (cert.ring, cert.generation, cert.first_seq, cert.previous, Span(cert.seq_from, cert.seq_to, place))
        for place, cert in certificates
    ] + [
        (*j.key[:2], j.header.first_seq, j.header.previous, Span(j.header.seq_from, j.seq_to, j.place))
        for j in journals
    ]
    ends: dict[tuple[str, int], int] = {}
    previous_ends = []
    spans.sort(key=lambda s: (s[0], s[1], s[4]))
    for (ring, generation), group in groupby(spans, key=lambda s: (s[0], s[1])):
        members = list(group)
        starts = {first for _, _, first, _, _ in members}
        own = [span for *_, span in members]
        start = min(starts) if whole else min(span.start for span in own)
        if len(starts) > 1:
            report.problem(f"{ring} generation {generation}", f"its certificates disagree where it begins: {starts}")
        doubled, holes = ranges.overlaps_and_holes(own, start)
        for a, b in doubled:
            both = (b.start, min(a.stop, b.stop))
            report.problem(b.place, f"records {ranges.text([both])} are also in {a.place}")
        for first, last, behind in holes:
            report.problem(
                f"{ring} generation {generation}",
                f"records {ranges.text([(first, last)])} are in no certificate; missing before {behind.place}",
            )
        ends[ring, generation] = max(span.stop for span in own)
        previous_ends += [(ring, generation, previous) for _, _, _, previous, _ in members if previous is not None]
        if ends[ring, generation] > start:
            report.coverage.append(Coverage(ring, generation, start, ends[ring, generation], len(own)))
    for ring, generation, (before, seq_to) in previous_ends if whole else ():
        place = f"{ring} generation {before}"
        end = ends.get((ring, before))
        if end is None and seq_to > 0:
            what = f"nothing is left of it; generation {generation} says it ended at record {seq_to}"
            (report.problem if strict else report.note)(place, what)
        elif end is not None and end != seq_to:
            report.problem(place, f"ends at record {end}; generation {generation} says it ended at record {seq_to}")


def chain_breaks(certificates: list[Certificate]) -> int:
    """Breaks of a book's chain between one segment and the next."""
    gaps = 0
    last: dict[tuple[str, int, str], int] = {}
    for cert in sorted(certificates, key=lambda c: c.key):
        for number, book in book_claims(cert):
            key = (cert.ring, cert.generation, number)
            first_prev, last_id = book.get("first_prev"), book.get("last_id")
            if first_prev is not None and last.get(key, first_prev) != first_prev:
                gaps += 1
            if last_id is not None:
                last[key] = last_id
    return gaps
