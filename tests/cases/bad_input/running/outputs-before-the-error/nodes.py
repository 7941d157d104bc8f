class Case:
    def process(self, data):
        yield data
        raise ValueError("after one output")
