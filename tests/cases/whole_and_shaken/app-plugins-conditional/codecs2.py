from core import Codec
try:
    import base64
    class B64(Codec, name="b64"): pass
except ImportError:
    pass
