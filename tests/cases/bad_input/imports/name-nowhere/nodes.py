from json import lodas

class Case:
    def process(self, data):
        return lodas(data)
