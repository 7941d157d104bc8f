import colorsys


class Case:
    def process(self, data):
        return colorsys.rgb_to_hsv(*data)
