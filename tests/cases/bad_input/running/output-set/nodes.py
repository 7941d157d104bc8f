class Case:
    def process(self, data):
        return {'a': [1, {2}]}
