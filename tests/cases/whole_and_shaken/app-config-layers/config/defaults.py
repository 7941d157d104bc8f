CONFIG = {"host": "localhost", "port": 1, "legacy": True}
