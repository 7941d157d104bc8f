from core import saved
def on_saved(x): return ["saved", x]
saved += on_saved
