def table_of(f): return f.__globals__.get("__table__", "default")
