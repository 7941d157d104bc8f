def apply(name):
    return name.upper()
