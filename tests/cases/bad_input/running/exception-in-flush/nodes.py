class Case:
    def process(self, data):
        return data

    def flush(self):
        raise RuntimeError('nothing to give')
