"""Looks at numbers through more-itertools, which is two modules that are imported by star."""

import more_itertools as mi
from more_itertools import recipes


class Numbers:
    def process(self, data):
        peekable = mi.peekable(data)
        bucket = mi.bucket(data, key=lambda n: n % 3)
        before, after = mi.before_and_after(lambda n: n < 4, data)
        stream = mi.seekable(data)
        first = list(mi.take(2, stream))
        stream.seek(0)
        return {
            "peek": peekable.peek(None),
            "chunks": list(mi.chunked(data, 3)),
            "buckets": {str(key): list(bucket[key]) for key in sorted(bucket)},
            "runs": [list(group) for group in mi.consecutive_groups(data)],
            "split": list(mi.split_when(data, lambda a, b: b < a)),
            "parts": [list(part) for part in mi.divide(2, data)],
            "before": list(before),
            "after": list(after),
            "seek": first + list(mi.take(2, stream)),
            "minmax": mi.minmax(data, default=None),
            "sets": [list(part) for part in mi.set_partitions(data[:3], 2)],
            "run lengths": list(mi.run_length.encode("".join(str(n % 2) for n in data))),
            "primes": [n for n in data if recipes.is_prime(n)],
            "polynomial": mi.polynomial_from_roots(data[:3]),
            "range": [str(n) for n in mi.numeric_range(0, 3, 1)],
            "one": mi.only(data[:1], default="nothing"),
            "collapsed": list(mi.collapse([data[:1], [data[1:2], [data[2:3]]]])),
            "windowed": list(mi.windowed_complete([0, 0, *data[:2]], 2)),
            "counted": mi.countable(data).items_seen,
        }
