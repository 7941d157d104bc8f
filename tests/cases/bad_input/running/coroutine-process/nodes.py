class Case:
    async def process(self, data):
        return data
