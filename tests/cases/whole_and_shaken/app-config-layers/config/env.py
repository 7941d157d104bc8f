from .defaults import CONFIG
CONFIG |= {"port": 2}
