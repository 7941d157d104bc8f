from helper import x

class Case:
    def process(self, data):
        return x
