class Case:
    def process(self, data):
        from helpers import clean, fetch

        return clean(data) if data else fetch("address")
