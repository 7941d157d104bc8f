class Case:
    def process(self, data):
        return data
