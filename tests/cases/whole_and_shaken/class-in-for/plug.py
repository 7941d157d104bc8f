from base import Base
for n in ("a", "b"):
    class P(Base, name=n): pass
