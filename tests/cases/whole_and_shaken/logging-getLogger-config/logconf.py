import logging
root = logging.getLogger()
root.setLevel(logging.DEBUG)
