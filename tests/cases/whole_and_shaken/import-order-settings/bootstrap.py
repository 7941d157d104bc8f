import logconf
import settings
settings.DEBUG = True
