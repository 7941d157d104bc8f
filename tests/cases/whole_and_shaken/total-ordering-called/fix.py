import functools
import core
V = functools.total_ordering(core.V)
