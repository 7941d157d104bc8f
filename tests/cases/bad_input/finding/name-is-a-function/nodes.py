def case(data):
    return data
