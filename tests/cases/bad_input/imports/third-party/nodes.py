import numpy as np


class Case:
    def process(self, data):
        return np.mean(data)
