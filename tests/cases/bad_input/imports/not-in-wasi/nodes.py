import ssl

class Case:
    def process(self, data):
        return ssl.create_default_context()
