class Case:
    def process(self, data):
        if data > 1:
            import numpy
        return data
