from dsl import *
adults = filter("age > 18")
p = property("name")
