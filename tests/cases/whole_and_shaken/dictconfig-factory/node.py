import logging.config
import handlers
CONF = {"version": 1, "formatters": {"u": {"()": "handlers.Up"}}}
class Case:
    def process(self, data):
        logging.config.dictConfig(CONF)
        return "ok"
