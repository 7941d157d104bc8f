import json
import time


class Case:
    def process(self, data):
        return [json.MINE, hasattr(time, 'MINE')]
