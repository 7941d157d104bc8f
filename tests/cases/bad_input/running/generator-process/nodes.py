class Case:
    def process(self, data):
        yield data
