class Case:
    def process(self, data):
        return data

    def cleanup(self):
        raise RuntimeError('cannot close')
