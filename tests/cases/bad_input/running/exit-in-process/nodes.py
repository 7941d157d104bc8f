import sys


class Case:
    def process(self, data):
        sys.exit(3)
