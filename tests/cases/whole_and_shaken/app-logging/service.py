import logging
log = logging.getLogger("svc")
def work():
    log.info("working")
    logging.getLogger("noisy").warning("noise")
