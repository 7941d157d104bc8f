QUEUES = [[], [1]]
def push(x):
    q = min(QUEUES, key=len)
    q.append(x)
    return x
a = push("a")
