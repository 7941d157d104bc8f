class Case:
    def process(self, data):
        return [float('nan'), float('inf'), b'bytes', (1, 2), {1: 'int key', (2, 3): 'tuple key'}, '\udc80', 2**70, -0.0]
