import conf
def fetch(timeout=conf.TIMEOUT): return timeout
