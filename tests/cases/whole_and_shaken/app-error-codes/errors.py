class AppError(Exception):
    codes = {}
    def __init__(self, code, msg):
        super().__init__(msg)
        self.code = code
        AppError.codes[code] = msg
