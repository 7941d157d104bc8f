import client
import conf
conf.set_level(5)
