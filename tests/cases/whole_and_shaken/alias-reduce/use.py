from functools import reduce
from core import CONFIG
opts = reduce(lambda d, k: d[k], ["db", "opts"], CONFIG)
opts["pool"] = 5
