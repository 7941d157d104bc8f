import conf
import local_settings
class Case:
    def process(self, data): return conf.INSTALLED
