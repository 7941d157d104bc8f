CODES = []
class BaseError(Exception):
    def __init__(self, code):
        CODES.append(code)
