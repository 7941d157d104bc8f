class User:
    def __repr__(self): return "plain"
