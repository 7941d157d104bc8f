from helper import TEXT


class Case:
    def process(self, data):
        return [TEXT, '''a
b''']
