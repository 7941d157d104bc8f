class Case:
    def __init__(self, limit):
        if limit < 0:
            raise ValueError(f'limit must not be negative: {limit}')

    def process(self, data):
        return data
