import jsno


def double(data):
    return 2 * data


def other(data):
    return jsno.loads(data)
