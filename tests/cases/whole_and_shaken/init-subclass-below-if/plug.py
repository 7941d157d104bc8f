from base import Base
class B(Base): pass
