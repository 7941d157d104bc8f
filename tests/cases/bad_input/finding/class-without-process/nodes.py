class Case:
    def proces(self, data):
        return data
