KINDS = [1j, ..., slice(1), frozenset(), (lambda: 0).__code__, StopIteration, int]


class Case:
    def process(self, data):
        return KINDS[data]
