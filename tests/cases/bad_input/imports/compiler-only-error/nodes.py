class Case:
    def process(self, data):
        nonlocal missing
        return data
