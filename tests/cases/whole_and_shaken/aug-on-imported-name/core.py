ITEMS = ["base"]
