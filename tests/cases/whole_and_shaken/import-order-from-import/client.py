from conf import LEVEL
def level(): return LEVEL
