LANGS = [["b"], ["a"]]
