from conf import INSTALLED, TEMPLATES
INSTALLED += ["debug_toolbar"]
