import jsno


def double(data):
    return jsno.loads(data) * 2
