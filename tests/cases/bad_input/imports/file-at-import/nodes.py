from pathlib import Path

TEXT = Path(__file__).with_name('words.txt').read_text()


class Case:
    def process(self, data):
        return TEXT
