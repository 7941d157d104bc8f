class Case:
    def process(self, data):
        return 6 // data
