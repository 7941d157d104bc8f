_flags = []
def _all(): return _flags
def flag(name, default=False):
    f = {"name": name, "value": default}
    all_ = _all()
    all_.append(f)
    return f
NEW_UI = flag("new_ui")
DARK = flag("dark", True)
def names(): return [f["name"] for f in _all()]
