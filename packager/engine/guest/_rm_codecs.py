"""Text encodings that are not in the bundle: whoever asks for one is told that it was left out.

`encodings` takes every encoding whose module it cannot import for one that does not exist. What
stands here is asked after that, and knows which modules the library has.
"""

import sys
from _codecs import register

from _rm_removed import RemovedError

# Encodings that need a built-in module which the interpreter may lack; those of Windows need it.
_NEEDS = {"bz2_codec": "_bz2", "mbcs": "nt", "oem": "nt", "zlib_codec": "zlib"}

# Every module of the library, once it is known.
_names = frozenset()


def _encode_host(text, errors="strict"):
    """What `encodings.idna` makes of a name in ASCII; only that can do anything about others."""
    if errors != "strict":
        raise UnicodeError(f"Unsupported error handling: {errors}")
    if not text.isascii():
        raise _left_out("idna")
    encoded = text.encode("ascii")
    if not encoded:
        return encoded, 0
    labels = encoded.split(b".")
    starts = [sum(len(label) + 1 for label in labels[:place]) for place in range(len(labels))]
    for start, label in zip(starts[:-1], labels):
        if not label:
            raise UnicodeEncodeError("idna", text, start, start + 1, "label empty")
    for start, label in zip(starts, labels):
        if len(label) >= 64:
            raise UnicodeEncodeError("idna", text, start, start + len(label), "label too long")
    return encoded, len(text)


def _decode_host(data, errors="strict"):
    raise _left_out("idna")


def _left_out(name):
    module = f"encodings.{name}"
    return RemovedError(
        module,
        f"the encoding `{name}` was left out of this bundle, because rm-pack saw nobody ask for it "
        f'by name; to keep it, add include = ["{module}"] under [tool.rm-pack] in pyproject.toml',
    )


def _search(encoding):
    # As `encodings` looks for them.
    encodings = sys.modules["encodings"]
    normal = encodings.normalize_encoding(encoding)
    aliases = sys.modules["encodings.aliases"].aliases
    for name in (aliases.get(normal) or aliases.get(normal.replace(".", "_")), normal):
        module = f"encodings.{name}"
        if (
            not name
            or "." in name
            or module not in _names
            or module in sys.modules
            or _is_carried(module)
        ):
            continue
        if name in _NEEDS and _NEEDS[name] not in sys.builtin_module_names:
            # It does not work here.
            continue
        if name == "idna":
            # C code asks for it whenever it is to look up a host's name.
            return sys.modules["codecs"].CodecInfo(_encode_host, _decode_host, name="idna")
        raise _left_out(name)
    return None


def tell_apart(names, is_carried):
    """From here on encodings of the library that were left out are told from those that it does not
    have."""
    global _names, _is_carried
    if not _names:
        register(_search)
    _names = names
    _is_carried = is_carried
