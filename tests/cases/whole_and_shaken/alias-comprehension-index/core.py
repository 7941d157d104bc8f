class Lang:
    def __init__(self, code): self.code = code; self.aliases = []
LANGS = [Lang("en"), Lang("de")]
