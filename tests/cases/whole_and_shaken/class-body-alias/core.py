MIDDLEWARE = ["base"]
