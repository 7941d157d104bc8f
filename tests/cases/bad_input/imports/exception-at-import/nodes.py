import helper

class Case:
    def process(self, data):
        return helper.TABLE
