import logging
class Up(logging.Formatter):
    def format(self, r): return r.getMessage().upper()
