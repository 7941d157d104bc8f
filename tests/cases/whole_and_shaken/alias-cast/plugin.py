from typing import cast
import core
reg = cast(list, core.REG)
reg.append("x")
