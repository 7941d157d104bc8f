TABLES = {"a": []}
def note(x):
    t = TABLES.get("a")
    t.append(x)
    return x
c = note("c")
