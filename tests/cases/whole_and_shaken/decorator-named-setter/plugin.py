from core import props
@props.setter("x")
def set_x(v): return v
