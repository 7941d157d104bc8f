from core import LANGS
first = sorted(LANGS)[0]
first.append("x")
