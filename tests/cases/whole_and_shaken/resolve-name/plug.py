X = 1
def go(): return "plug"
