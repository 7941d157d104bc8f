class Case:
    def process(self, data):
        import helper

        return helper.double(data)
