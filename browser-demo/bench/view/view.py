class ViewInPython:
    def process(self, data):
        return data
