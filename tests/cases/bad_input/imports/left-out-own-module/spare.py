def apply(name):
    return name
