class A:
    fields = []
