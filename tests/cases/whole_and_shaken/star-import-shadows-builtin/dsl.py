RULES = []
def filter(x): RULES.append(x); return x
def property(x): RULES.append(x); return x
