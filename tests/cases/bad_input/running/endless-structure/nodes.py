class Case:
    def process(self, data):
        x = None
        for _ in range(data):
            x = [x]
        del x
        return data
