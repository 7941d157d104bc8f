class Case:
    def process(self):
        yield 1
