from types import SimpleNamespace
from core import REG
ns = SimpleNamespace(reg=REG)
ns.reg.append("x")
