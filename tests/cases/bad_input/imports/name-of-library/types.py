class Image:
    pass
