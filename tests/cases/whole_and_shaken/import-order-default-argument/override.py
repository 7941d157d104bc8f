import client
import conf
conf.TIMEOUT = 99
