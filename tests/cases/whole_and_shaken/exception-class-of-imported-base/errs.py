from core import BaseError
class NotFound(BaseError):
    pass
NOT_FOUND = NotFound(404)
