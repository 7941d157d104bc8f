class EchoInPython:
    def process(self, data):
        return {"n": data["n"]}
