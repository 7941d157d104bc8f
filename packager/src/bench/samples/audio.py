import array, io, math, struct, wave
import typing
from enum import Enum

class Kind(Enum):
    MONO = 1
    STEREO = 2

class N:
    def process(self, data: typing.Any):
        with wave.open(io.BytesIO(data)) as f:
            kind = Kind(f.getnchannels())
            samples = array.array("h", f.readframes(f.getnframes()))
        rms = math.sqrt(sum(s * s for s in samples) / max(1, len(samples)))
        return {"kind": kind.name, "rms": rms, "head": struct.pack("<h", samples[0] if samples else 0)}
