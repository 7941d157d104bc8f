from core import ITEMS
ITEMS += ["plugin"]
