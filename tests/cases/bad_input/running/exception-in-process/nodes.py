import json


class Case:
    def process(self, data):
        return self.parse(data)

    def parse(self, text):
        return json.loads(text)
