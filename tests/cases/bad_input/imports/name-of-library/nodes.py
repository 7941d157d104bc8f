import enum


class Mode(enum.Enum):
    LOUD = 1


class Case:
    def process(self, data):
        return Mode.LOUD.value
