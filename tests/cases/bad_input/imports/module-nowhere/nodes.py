import helper.inner

class Case:
    def process(self, data):
        return helper.inner.double(data)
