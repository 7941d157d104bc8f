import fcntl
from json import lodas

import helper
from broken import something
import numpy as np

class Case:
    def process(self, data):
        return helper.double(data)
