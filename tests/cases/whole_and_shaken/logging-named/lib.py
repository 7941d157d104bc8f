import logging
log = logging.getLogger("app")
log.setLevel(logging.ERROR)
log.propagate = False
