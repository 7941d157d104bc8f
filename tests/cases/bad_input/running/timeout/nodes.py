class Case:
    def process(self, data):
        while True:
            pass
