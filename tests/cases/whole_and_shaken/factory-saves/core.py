STORE = {}
class User:
    def __init__(self, n): self.n = n
    def save(self): STORE[self.n] = self
def create(n):
    u = User(n)
    u.save()
    return u
admin = create("admin")
