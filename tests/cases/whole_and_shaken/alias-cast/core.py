REG = []
