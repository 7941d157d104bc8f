from core import thing
T = type(thing)
T.size = 5
