class Case:
    def __init__(self, size, mode='fast'):
        pass

    def process(self, data):
        return data
