def make():
    class Case:
        def process(self, data):
            return data

    return Case
