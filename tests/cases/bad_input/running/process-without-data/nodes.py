class Case:
    def process(self):
        return 1
