from errors import AppError
class NotFoundError(AppError): pass
NOT_FOUND = NotFoundError(404, "not found")
FORBIDDEN = NotFoundError(403, "forbidden")
