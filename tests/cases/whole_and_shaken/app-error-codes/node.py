import catalog
from errors import AppError
class Case:
    def process(self, data): return AppError.codes
