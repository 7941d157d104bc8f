RULES = []
class AppError(Exception):
    def __init__(self, c): RULES.append(c)
