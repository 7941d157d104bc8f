from helper import commands
def cmd_a(): return "a"
def cmd_b(): return "b"
class Case:
    def process(self, data): return commands()
