class Case:
    def process(self, data):
        raise ExceptionGroup("two things", [ValueError("one"), TypeError("two")])
