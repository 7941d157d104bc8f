INSTALLED = ["auth"]
TEMPLATES = {"dirs": []}
