import sys

print('loading')
print('careful', file=sys.stderr)


class Case:
    def process(self, data):
        return data
