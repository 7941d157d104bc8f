class Settings:
    debug = True
