class Case:
    def process(self, data):
        x = []
        x.append(x)
        return x
