CONFIG = {"db": {"opts": {}}}
