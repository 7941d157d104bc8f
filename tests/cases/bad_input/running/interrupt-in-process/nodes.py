class Case:
    def process(self, data):
        raise KeyboardInterrupt
