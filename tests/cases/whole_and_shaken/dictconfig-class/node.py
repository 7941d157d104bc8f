import logging.config
import handlers
CONF = {"version": 1, "handlers": {"m": {"class": "handlers.Mem"}}}
class Case:
    def process(self, data):
        logging.config.dictConfig(CONF)
        return "ok"
