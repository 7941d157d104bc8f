from core import LANGS
english = [l for l in LANGS if l.code == "en"][0]
english.aliases.append("eng")
