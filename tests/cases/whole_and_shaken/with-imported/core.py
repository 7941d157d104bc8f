LOG = []
class Dag:
    def __enter__(self): LOG.append("in"); return self
    def __exit__(self, *a): LOG.append("out")
dag = Dag()
