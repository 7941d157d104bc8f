class Case:
    def initialize(self):
        raise RuntimeError('no model')

    def process(self, data):
        return data
