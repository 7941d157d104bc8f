// Makes `runtime/src/unicode/tables.rs`: what the Python of the npm package of Pyodide, the engine's, knows of code points.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadPyodide } from "pyodide";

const PYTHON = `
import re
import sys

def varint(number):
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes(data) + bytes([number])

def ranges(holds):
    data, behind, inside = b"", 0, False
    for code_point in range(sys.maxunicode + 1):
        if holds(chr(code_point)) != inside:
            data += varint(code_point - behind)
            behind, inside = code_point, not inside
    return data

def mapping(name):
    runs, many = [], []
    for c in map(chr, range(sys.maxunicode + 1)):
        to = getattr(c, name)()
        if to == c:
            continue
        if len(to) > 1:
            many.append((c, to))
        delta = ord(to) - ord(c) if len(to) == 1 else 0
        last = runs[-1] if runs else None
        if last and last["delta"] == delta:
            step = ord(c) - last["last"]
            if step == last["step"] or step < 3 and last["count"] == 1:
                last.update(step=step, last=ord(c), count=last["count"] + 1)
                continue
        runs.append({"first": ord(c), "last": ord(c), "count": 1, "step": 1, "delta": delta})
    data, behind = b"", 0
    for run in runs:
        delta = run["delta"]
        data += varint(run["first"] - behind)
        data += varint((run["count"] - 1) * 2 + run["step"] - 1)
        data += varint(delta * 2 if delta >= 0 else -delta * 2 - 1)
        behind = run["last"]
    return data, many

def is_cased(c):
    return (c + "\\u03a3").lower()[-1] == "\\u03c2"

def is_ignorable(c):
    return not is_cased(c) and ("a" + c + "\\u03a3").lower()[-1] == "\\u03c2"

def escaped(text):
    return "".join(c if c.isascii() else f"\\\\u{{{ord(c):X}}}" for c in text)

def literal(parts, prefix):
    lines, line = [], ""
    for part in parts:
        if len(line) + len(part) > 110:
            lines.append(line)
            line = ""
        line += part
    lines.append(line)
    return "\\n    " + prefix + '"' + "\\\\\\n    ".join(lines) + '"'

def table(about, name, data):
    text = literal([f"\\\\x{byte:02X}" for byte in data], "b")
    return f"/// {about}\\npub(super) const {name}: &[u8] ={text};\\n"

upper, many_upper = mapping("upper")
lower, many_lower = mapping("lower")
assert many_lower == [("\\u0130", "i\\u0307")], many_lower
many = " ".join(escaped(c + to) for c, to in many_upper)
word = re.compile(r"\\w")
"\\n".join([
    "//! Made by \`browser-demo/scripts/unicode-tables.mjs\`; [the module](super) says how to read it.\\n",
    table("What \`\\\\w\` matches.", "WORD", ranges(lambda c: word.match(c) is not None)),
    table("What has case, and is not ignorable where a sigma ends a word.", "CASED", ranges(is_cased)),
    table("What is passed over to see whether a sigma ends a word.", "IGNORABLE", ranges(is_ignorable)),
    table("To upper case.", "UPPER", upper),
    table("To lower case.", "LOWER", lower),
    "/// Upper cases of several code points, each behind the one whose it is.",
    "pub(super) const MANY_UPPER: &str =" + literal(re.findall(r"\\S+ ?", many), "") + ";\\n",
])
`;

const pyodide = await loadPyodide();
const path = join(resolve(import.meta.dirname, "../.."), "runtime/src/unicode/tables.rs");
writeFileSync(path, pyodide.runPython(PYTHON));
