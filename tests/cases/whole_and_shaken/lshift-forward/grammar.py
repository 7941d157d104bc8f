from pc import expr, term
expr << (lambda s: ["expr", term.parse(s)])
term <<= lambda s: ["term", s]
