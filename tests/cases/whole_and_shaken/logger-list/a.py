import logging
log = logging.getLogger(__name__)
def f(): return 1
