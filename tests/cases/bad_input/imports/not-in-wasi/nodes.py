import ssl


class Case:
    def process(self, data):
        return data
