"""The JSON scanner and number parser: numba primitives over memory given as (address, length).

Every scanner function takes ``a`` (address of the text), ``i`` (offset of the next byte) and ``n`` (length), reads
only ``[0, n)``, and returns the offset after what it took, or a negative number when the text is not what it takes.
It accepts a subset of strict JSON; what it refuses is for the typed path to judge.
"""
