import threading


class Case:
    def __init__(self):
        self.lock = threading.Lock()

    def process(self, data):
        self.lock.acquire()
        return data
