from __future__ import braces


class Case:
    def process(self, data):
        return data
