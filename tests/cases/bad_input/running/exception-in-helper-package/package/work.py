def work(data):
    return {}[data]
