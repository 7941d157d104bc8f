class Case:
    def process(self, data):
        return len(bytearray(1_500_000_000))
