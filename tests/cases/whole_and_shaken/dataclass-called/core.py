class P:
    x: int
    y: int
