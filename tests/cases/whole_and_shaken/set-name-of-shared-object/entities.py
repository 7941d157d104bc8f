from ecs import Pos, Vel
pos = Pos()
class Player:
    p = pos
    v = Vel()
class Wall:
    p = pos
