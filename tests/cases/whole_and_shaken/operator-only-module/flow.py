from core import a, b
a >> b
