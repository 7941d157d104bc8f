class Case:
    def process(self, data):
        x = []
        for _ in range(data):
            x = [x]
        return x
