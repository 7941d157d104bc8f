ACTIVE = []
