import dataclasses
import core
dataclasses.dataclass(core.P)
