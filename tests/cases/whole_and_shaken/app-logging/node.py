import log_setup
from service import work
class Case:
    def process(self, data):
        work()
        return log_setup.Mem.records
