import zoneinfo


class Case:
    def process(self, data):
        return str(zoneinfo.ZoneInfo(data))
