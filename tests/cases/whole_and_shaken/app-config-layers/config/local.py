from .defaults import CONFIG
del CONFIG["legacy"]
