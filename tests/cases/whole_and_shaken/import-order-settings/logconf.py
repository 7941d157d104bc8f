import settings
LEVEL = "DEBUG" if settings.DEBUG else "INFO"
