import asyncio


class Case:
    async def process(self, data):
        await asyncio.Event().wait()
