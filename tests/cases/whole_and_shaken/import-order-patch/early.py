from base import Base
hello_at_import = Base.hello
def early(): return hello_at_import(Base())
