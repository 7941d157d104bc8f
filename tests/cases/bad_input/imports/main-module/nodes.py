import __main__


class Case:
    def process(self, data):
        return __main__.__name__
