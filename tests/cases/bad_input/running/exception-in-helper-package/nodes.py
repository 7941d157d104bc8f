from package.work import work


class Case:
    def process(self, data):
        return work(data)
