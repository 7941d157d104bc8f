import early
import base
base.Base.hello = lambda self: "patched"
