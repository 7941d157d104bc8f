FIELDS = {"id": 1, "secret": 2}
