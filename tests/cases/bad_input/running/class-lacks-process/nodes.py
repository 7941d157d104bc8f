from helper import Base


class Case(Base):
    pass
