import time

end = time.monotonic() + 1
while time.monotonic() < end:
    pass


class Case:
    def process(self, data):
        return data
