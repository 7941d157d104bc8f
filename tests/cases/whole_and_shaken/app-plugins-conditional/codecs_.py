from core import Codec
class Raw(Codec, name="raw"): pass
try:
    import zlib
except ImportError:
    zlib = None
else:
    class Zlib(Codec, name="zlib"): pass
