from core import R
match R:
    case list() as r:
        r.append("x")
