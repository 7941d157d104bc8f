"""Counts words with toolz: curried functions, lazily made namespaces, pipelines."""

import operator

import tlz
import toolz
from toolz.curried import compose, countby, filter, get, map, pipe, pluck, reduceby, valmap
from toolz.sandbox import fold, unzip


@toolz.curry
def longer_than(length, word):
    return len(word) > length


class Words:
    def __init__(self, shortest=2):
        self.shortest = shortest
        self.total = toolz.memoize(lambda text: tlz.frequencies(text.split()))

    def process(self, data):
        words = pipe(data, str.lower, str.split, filter(longer_than(self.shortest)), list)
        first, rest = toolz.peek(words or [""])
        letters, lengths = unzip((word[:1], len(word)) for word in words or [""])
        return {
            "by length": dict(countby(len, words)),
            "joined": compose("-".join, map(str.title), toolz.unique)(words),
            "longest": toolz.topk(2, words, key=len),
            "sum by letter": valmap(str, reduceby(get(0), lambda n, word: n + len(word), words, 0)),
            "windows": list(toolz.sliding_window(2, words)),
            "nested": toolz.assoc_in({"a": {}}, ["a", "b"], first),
            "merged": toolz.merge_with(sum, self.total(data), {"the": 10}),
            "plucked": list(pluck(0, toolz.partition_all(3, words))),
            "letters": "".join(letters),
            "folded": fold(operator.add, lengths, 0),
            "curried": toolz.curried.operator.add(1)(len(list(rest))),
        }
