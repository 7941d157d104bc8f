__table__ = "users"
def load(): return 1
