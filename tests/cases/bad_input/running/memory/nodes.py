class Case:
    def process(self, data):
        return len(bytearray(100_000_000))
