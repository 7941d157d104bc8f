from .defaults import CONFIG
from . import env, local
def get(k): return CONFIG[k]
