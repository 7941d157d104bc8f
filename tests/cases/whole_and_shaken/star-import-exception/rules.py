from dsl import *
NF = AppError(404)
