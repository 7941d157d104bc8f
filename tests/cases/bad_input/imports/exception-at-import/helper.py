def table(size):
    return [1 / n for n in range(size)]


TABLE = table(3)
