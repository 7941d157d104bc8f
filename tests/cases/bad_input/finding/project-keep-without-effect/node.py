import json


class Node:
    def process(self, data):
        return json.dumps(data)
