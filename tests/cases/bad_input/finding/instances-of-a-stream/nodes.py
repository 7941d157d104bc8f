class Case:
    is_streaming = True

    async def process(self, stream):
        async for item in stream:
            yield item
