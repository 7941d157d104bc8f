class Case:
    def __init__(self, size=1):
        self.size = size

    def process(self, data):
        return [self.size, self.config]
