class Case:
    def process(self, data):
        return {len: 1}
