def double(data)
    return 2 * data
