class Shout:
    def process(self, data):
        return data
