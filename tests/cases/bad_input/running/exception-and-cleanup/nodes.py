class Case:
    def process(self, data):
        raise ValueError('first')

    def cleanup(self):
        raise RuntimeError('second')
