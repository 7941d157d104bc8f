LOG = []
class D:
    def __get__(self, o, t): return LOG
class Conf:
    log = D()
Conf.log.append("x")
