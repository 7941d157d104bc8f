from core import MIDDLEWARE
class Prod:
    middleware = MIDDLEWARE
    middleware.append("gzip")
