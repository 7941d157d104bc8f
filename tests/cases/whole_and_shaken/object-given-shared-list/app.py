from core import TABLE
class Blueprint:
    def __init__(self, routes): self.routes = routes
bp = Blueprint(TABLE)
bp.routes.append("x")
