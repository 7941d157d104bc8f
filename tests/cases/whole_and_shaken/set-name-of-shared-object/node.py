import entities
from ecs import Component
class Case:
    def process(self, data): return Component.registry
