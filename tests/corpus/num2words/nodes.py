"""Says numbers with num2words: a class for each language, methods by computed names."""

from num2words import CONVERTER_CLASSES, num2words


class Say:
    def process(self, data):
        said = {}
        for language in sorted(CONVERTER_CLASSES):
            for to in ("cardinal", "ordinal", "ordinal_num", "year", "currency"):
                try:
                    said[f"{language} {to}"] = str(num2words(data, lang=language, to=to))
                except Exception as error:
                    said[f"{language} {to}"] = type(error).__name__
        return said
