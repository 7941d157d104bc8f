class Case:
    def process(self, stream):
        for item in stream:
            yield item
