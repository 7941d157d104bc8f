from collections import defaultdict
T = defaultdict(list)
first = T["first"]
second = T["second"]
class Case:
    def process(self, data):
        second.append(1)
        return T
